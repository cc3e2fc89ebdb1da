set tool ex
append tool ec
$tool rm -rf /tmp/x
eval [list exec ls]
my::old
lsort {b a}
set ::tech::corner slow
puts "$undefined"
proc my::nets {} {return {}}
