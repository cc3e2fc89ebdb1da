# Every kind of word.
set plain abc
set quoted "a b $plain [string length $plain] \t\x41\u00e9\101"
set braced {a $plain [not run] \n}
set nested {a {b {c} d} e}
set escaped \{\}\[\]\$\"\;
set joined [list a\
    b]
set empty {}
set none ""
puts "$plain$quoted${braced}$nested $escaped $joined $empty$none"
puts [list {*}$nested {*}{a b} {*}[list c d]]
