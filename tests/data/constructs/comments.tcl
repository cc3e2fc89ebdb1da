# a comment {
# continued \
  still the comment "
set a 1 ;# after a command [
if {$a} {
    # balanced { here } only
    puts $a
}
set b #none
puts $b
