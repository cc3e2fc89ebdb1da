puts "one
puts "two"
set a "b"c
set d {e}f
puts x"y
