set a 3
set s abc
puts [expr {$a + 2 * -3 ** 2 % 5 - 4 / 2}]
puts [expr {$a < 4 && $a >= 1 || !($a == 2) ? "yes" : {no}}]
puts [expr {$s eq "abc" && $s ne {x} && "a" in {a b} && "c" ni [list a b]}]
puts [expr {max(1, $a, [string length $s]) + int(2.5e3) + 0x1f + 0b101 + 0o17}]
puts [expr {~$a & 7 | 8 ^ 1 << 2 >> 1}]
puts [expr {true && !false && on && yes}]
puts [expr {
    $a
    + 1 \
    + 2
}]
puts [expr $a + 1]
puts [expr {[info exists s] ? $s : ""}]
