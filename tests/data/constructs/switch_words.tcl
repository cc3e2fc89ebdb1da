set x b
switch -exact -- $x a { puts 1 } b - c { puts 2 } default { puts 3 }
switch $x a {puts 1} \
    b {puts 2}
