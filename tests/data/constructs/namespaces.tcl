namespace eval outer {
    variable count 0
    namespace export bump
    proc bump {} {
        variable count
        incr count
        return $count
    }
    namespace eval inner {
        variable deep 1
        proc get {} { variable deep; return $deep }
    }
}
puts [outer::bump][outer::inner::get]
puts [namespace eval outer { bump }]
namespace import outer::bump
puts [bump]
