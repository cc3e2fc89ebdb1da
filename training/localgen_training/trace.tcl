# Runs one script in a safe interpreter full of recorders and prints what it did, as one JSON document.
#
# stdin: a Tcl dict (UTF-8)
#   procs      {name {options {…} flags {…} positionals {…} scripts {…} returns TYPE} …}
#   openers    {{index word ?word …?} …}     commands whose last word is the text of a DSL block
#   variables  {{name value} …}              what the catalog's variables hold at first
#   script     the script, blocks that are not Tcl replaced by `__block N`
#   answer     0 or 1: what numeric and boolean procs return
#   seconds    time limit
#
# stdout: {"complete", "error": null|str, "events": […], "variables": {name: word}}
#   a word is {"text", "items": [str]|null}; an event is {"call", "args": [[name, word, null|events]], "problems"} with
#   "" as the name of a word without a place, {"block", "text"} or {"cut"}.

fconfigure stdin -encoding utf-8 -translation lf
fconfigure stdout -encoding utf-8
set spec [read stdin]

proc jsonString {s} {
    set out ""
    foreach c [split $s ""] {
        scan $c %c n
        if {$c eq "\\" || $c eq "\""} {
            append out "\\" $c
        } elseif {$n < 32 || $n > 126} {
            append out [format "\\u%04x" [expr {$n & 0xffff}]]
        } else {
            append out $c
        }
    }
    return "\"$out\""
}
proc jsonList {items} {return "\[[join $items ,]\]"}
proc jsonStrings {items} {return [jsonList [lmap i $items {jsonString $i}]]}
proc jsonWord {w} {
    set items null
    if {[string is list $w]} {set items [jsonStrings $w]}
    return "{\"text\":[jsonString $w],\"items\":$items}"
}

set events {}
set recorded 0
proc note {event} {
    if {[incr ::recorded] > 20000} {error "too many calls"}
    lappend ::events $event
}

# What a word beginning with - names among these options: an exact name, or the only one it is a prefix of.
proc optionOf {word names} {
    set given [string range $word 1 end]
    if {$given in $names} {return $given}
    set found [lmap n $names {expr {[string equal -length [string length $given] $given $n] ? $n : [continue]}}]
    return [expr {$given ne "" && [llength $found] == 1 ? [lindex $found 0] : ""}]
}

proc argument {child name word scripts} {
    set nested null
    if {$name in $scripts} {
        set outer $::events
        set ::events {}
        set bad [catch {interp eval $child $word}]
        if {!$bad} {set nested [jsonList $::events]}
        set ::events $outer
    }
    return "\[[jsonString $name],[jsonWord $word],$nested\]"
}

proc record {child name args} {
    dict with ::spec procs $name {}
    set known [concat $options $flags]
    set out {}
    set problems {}
    set place 0
    for {set i 0} {$i < [llength $args]} {incr i} {
        set word [lindex $args $i]
        if {[regexp {^-[A-Za-z_]} $word]} {
            set option [optionOf $word $known]
            if {$option eq ""} {
                lappend problems "no option $word"
                lappend out [argument $child "" $word {}]
                continue
            }
            if {$place > 0} {lappend problems "$word after a positional argument"}
            if {$option in $flags} {
                lappend out [argument $child $option true {}]
            } elseif {$i + 1 < [llength $args]} {
                lappend out [argument $child $option [lindex $args [incr i]] $scripts]
            } else {
                lappend problems "$word has no value"
                lappend out [argument $child "" $word {}]
            }
            continue
        }
        set option [lindex $positionals $place]
        if {$place >= [llength $positionals]} {lappend problems "unexpected $word"}
        lappend out [argument $child $option $word $scripts]
        incr place
    }
    note "{\"call\":[jsonString $name],\"args\":[jsonList $out],\"problems\":[jsonStrings $problems]}"
    switch -- $returns {
        "" {return ""}
        int - float - bool - number {return [dict get $::spec answer]}
        list {return [list @mock:$name]}
        default {return @mock:$name}
    }
}

# A braced block such as  rules {…}  or  db eval {…}; a proc of the same name keeps its other uses.
proc block {child word args} {
    foreach opener [dict get $::spec openers] {
        set rest [lassign $opener index first]
        if {$first eq $word && [llength $args] == [llength $rest] + 1 && [lrange $args 0 end-1] eq $rest} {
            note "{\"block\":$index,\"text\":[jsonString [lindex $args end]]}"
            return ""
        }
    }
    if {[dict exists $::spec procs $word]} {return [record $child $word {*}$args]}
    error "this is not how a block of \"$word\" opens"
}
proc cut {index} {
    note "{\"cut\":$index}"
    return @mock:block
}
proc swallow {args} {
    if {[llength $args] < 1 || [llength $args] > 3} {error "wrong # args: puts"}
    return ""
}
proc assigned {name args} {set ::written($name) 1}

proc makeNamespace {child name} {
    set space [namespace qualifiers $name]
    if {[string trim $space :] ne ""} {interp eval $child [list namespace eval ::[string trimleft $space :] {}]}
}

set child [interp create -safe]
# A script that re-made its recorders would write its own trace.
foreach name {rename interp trace} {interp hide $child $name}
interp alias $child puts {} swallow
interp alias $child __block {} cut
interp alias $child __assigned {} assigned
foreach name [dict keys [dict get $spec procs]] {
    makeNamespace $child $name
    interp alias $child $name {} record $child $name
}
foreach opener [dict get $spec openers] {
    set word [lindex $opener 1]
    makeNamespace $child $word
    interp alias $child $word {} block $child $word
}
array set written {}
foreach variable [dict get $spec variables] {
    lassign $variable name value
    makeNamespace $child $name
    set global ::[string trimleft $name :]
    interp eval $child [list set $global $value]
    interp invokehidden $child trace add variable $global write [list __assigned $name]
}
set script [dict get $spec script]
set complete [info complete $script]
set error "the script is not complete"
if {$complete} {
    interp limit $child time -seconds [expr {[clock seconds] + [dict get $spec seconds]}] -granularity 50
    set status [catch {interp eval $child $script} message]
    catch {interp limit $child time -seconds {}}
    # `return` at the top ends a script normally.
    set error [expr {$status in {0 2} ? "" : $message}]
    if {$status ni {0 2} && $error eq ""} {set error "the script ended with status $status"}
}
set variables {}
foreach name [lsort [array names written]] {
    set global ::[string trimleft $name :]
    if {![catch {interp eval $child [list set $global]} value]} {
        lappend variables "[jsonString $name]:[jsonWord $value]"
    }
}
puts "{\"complete\":[expr {$complete ? "true" : "false"}],\"error\":[expr {$error eq "" ? "null" : [jsonString $error]}],\"events\":[jsonList $events],\"variables\":{[join $variables ,]}}"
