oo::class create Account {
    variable balance
    constructor {{start 0}} { set balance $start }
    method deposit {amount} {
        if {$amount <= 0} { error "amount is $amount" }
        incr balance $amount
        my Log $amount
        return $balance
    }
    method Log {amount} { puts "deposit $amount" }
    destructor { puts closed }
}
oo::class create Savings {
    superclass Account
    method deposit {amount} { next [expr {$amount * 2}] }
}
oo::define Savings {
    method rate {} { return 2 }
}
oo::define Savings method name {} { return savings }
Savings create mine 10
puts [mine deposit 5]
mine destroy
