puts a
}
proc p {} {
    puts b
}}
]
puts c
