oo::class create C {
    method m {a} {
        if {$a +} { puts 1 }
        return "x"y
    }
}
