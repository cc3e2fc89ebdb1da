set code {puts hello}
eval $code
eval {puts} {b}
eval [list puts c]
uplevel #0 { puts d }
after 10 { puts e }
after idle [list puts f]
after cancel x
time { puts g } 2
puts [subst {$code [string length $code] \n}]
namespace eval :: { puts h }
trace add variable code write {apply {{args} { puts $args }}}
interp alias {} say {} puts
say i
