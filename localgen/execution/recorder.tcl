# Runs one script in a safe interpreter full of recorders and prints what it did, as one JSON document.
#
# stdin: a Tcl dict (UTF-8)
#   procs      {name {options {…} flags {…} positionals {…} scripts {…} returns TYPE} …}
#   openers    {{index word ?word …?} …}     commands whose last word is the text of a DSL block
#   variables  {{name value} …}              what the catalog's variables hold at first
#   mocks      Tcl that defines the procs for real; "" lets the recorders make up the results
#   script     the script, blocks that are not Tcl replaced by `__block N`, N below `blocks`
#   answer     0 or 1: what numeric and boolean procs return without mocks
#   seconds, commands, characters            limits: time, commands, characters recorded and printed
#
# stdout: {"tcl", "error", "line", "trace", "limit", "events", "variables": {name: word}, "globals": {name: value},
# "output"}; `trace` is Tcl's stack trace of the error.
#   A word is {"text", "items": [str]|null}. An event is {"call", "args": [[name, word, null|events]], "problems"} with
#   "" as the name of a word without a place ("body" has the events where a mock ran a body), {"block", "text"} or
#   {"cut"}; each with its "line" in the script, null inside bodies.

fconfigure stdin -encoding utf-8 -translation lf
fconfigure stdout -encoding utf-8
set spec [read stdin]

# ---------------------------------------------------------------- JSON
set jsonEscapes [list \\ \\\\ \" \\\" \n \\n \t \\t \r \\r]
proc jsonString {s} {
    set s [string map $::jsonEscapes $s]
    if {[regexp {[^ -~]} $s]} {
        set map {}
        foreach c [lsort -unique [regexp -all -inline {[^ -~]} $s]] {
            scan $c %c n
            lappend map $c [format \\u%04x [expr {$n & 0xffff}]]
        }
        set s [string map $map $s]
    }
    return "\"$s\""
}
proc jsonList {items} {return "\[[join $items ,]\]"}
proc jsonStrings {items} {return [jsonList [lmap i $items {jsonString $i}]]}
proc jsonWord {w} {
    set items null
    if {[string is list $w]} {set items [jsonStrings $w]}
    return "{\"text\":[jsonString $w],\"items\":$items}"
}

# ---------------------------------------------------------------- recording
set events {}
set recorded 0
set output ""
set limit ""
set redefined ""
set entering 0
set inside 0

# Ends the script, whatever it catches.
proc stop {why} {
    set ::limit $why
    interp cancel -unwind $::child "stopped: $why"
    error "stopped: $why"
}
proc note {event} {
    if {[incr ::recorded [expr {100 + [string length $event]}]] > [dict get $::spec characters]} {stop output}
    lappend ::events $event
}

# The line of the script that is being run: that of the innermost frame outside procs. Inside a body that a catalog
# proc runs Tcl does not know it.
proc line {} {
    if {$::inside} {return null}
    for {set level -1} {![catch {interp eval $::child [list info frame $level]} frame]} {incr level -1} {
        if {[catch {dict exists $frame proc} inProc]} break
        if {!$inProc && [dict exists $frame line]} {
            set line [dict get $frame line]
            return [expr {[string is integer -strict $line] ? $line : "null"}]
        }
    }
    return null
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
        incr ::inside
        set bad [catch {interp eval $child $word}]
        incr ::inside -1
        if {!$bad} {set nested [jsonList $::events]}
        set ::events $outer
    }
    return "\[[jsonString $name],[jsonWord $word],$nested\]"
}

proc record {child name args} {
    set line [line]
    dict with ::spec procs $name {}
    set known [concat $options $flags]
    set bodies $scripts
    set status 0
    if {[dict exists $::real $name]} {
        # The mock runs the bodies; what it did there stands with the first of them.
        lassign [mocked $child $name $args] status result how inside
        set bodies {}
    } else {
        switch -- $returns {
            "" {set result ""}
            int - float - bool - number {set result [dict get $::spec answer]}
            list {set result [list @mock:$name]}
            default {set result @mock:$name}
        }
    }
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
                lappend out [argument $child $option [lindex $args [incr i]] $bodies]
            } else {
                lappend problems "$word has no value"
                lappend out [argument $child "" $word {}]
            }
            continue
        }
        set option [lindex $positionals $place]
        if {$place >= [llength $positionals]} {lappend problems "unexpected $word"}
        lappend out [argument $child $option $word $bodies]
        incr place
    }
    set body [expr {[llength $bodies] || $scripts eq "" ? "" : ",\"body\":[jsonList $inside]"}]
    note "{\"call\":[jsonString $name],\"args\":[jsonList $out],\"problems\":[jsonStrings $problems],\"line\":$line$body}"
    if {$status} {return -options $how $result}
    return $result
}

# The mock itself, where the script called it: {status result options events}. What a mock calls of its own is left out by
# those who have no body to run.
proc mocked {child name words} {
    set outer $::events
    set ::events {}
    set ::entering 1
    incr ::inside
    set status [catch {interp eval $child [list [dict get $::real $name] {*}$words]} result how]
    incr ::inside -1
    set inside $::events
    set ::events $outer
    set how [dict remove $how -errorinfo -errorstack]
    return [list $status $result $how $inside]
}

# A braced block such as  rules {…}  or  db eval {…}; a proc of the same name keeps its other uses.
proc block {child word args} {
    foreach opener [dict get $::spec openers] {
        set rest [lassign $opener index first]
        if {$first eq $word && [llength $args] == [llength $rest] + 1 && [lrange $args 0 end-1] eq $rest} {
            note "{\"block\":$index,\"text\":[jsonString [lindex $args end]],\"line\":[line]}"
            if {![dict exists $::real $word]} {return ""}
            lassign [mocked $child $word $args] status result how
            if {$status} {return -options $how $result}
            return $result
        }
    }
    if {[dict exists $::spec procs $word]} {return [record $child $word {*}$args]}
    error "this is not how a block of \"$word\" opens"
}
proc cut {index} {
    if {![string is digit -strict $index] || $index >= [dict get $::spec blocks]} {error {invalid command name "__block"}}
    note "{\"cut\":$index,\"line\":[line]}"
    return @mock:block
}
proc print {args} {
    set end "\n"
    if {[lindex $args 0] eq "-nonewline"} {
        set end ""
        set args [lrange $args 1 end]
    }
    if {[llength $args] ni {1 2}} {error "wrong # args: should be \"puts ?-nonewline? ?channelId? string\""}
    append ::output [lindex $args end] $end
    if {[string length $::output] > [dict get $::spec characters]} {stop output}
    return ""
}
# The parts of `file` that touch no file, and `flush`, which scripts do after `puts`.
proc fileName {sub args} {
    if {$sub ni {dirname extension join pathtype rootname separator split tail}} {
        error "\"file $sub\" is not available in the execution check"
    }
    return [file $sub {*}$args]
}
proc flushed {channel} {return ""}
proc assigned {name args} {set ::written($name) 1}
# A script that re-made its recorders would write its own trace.
proc lost {name args} {
    set ::redefined $name
    stop redefined
}
proc entered {name args} {
    if {!$::entering} {lost $name}
    set ::entering 0
}

# ---------------------------------------------------------------- the interpreter
proc limitTime {} {
    set end [expr {[clock milliseconds] + 1000 * [dict get $::spec seconds]}]
    interp limit $::child time -seconds [expr {$end / 1000}] -milliseconds [expr {$end % 1000}] -granularity 50
}
proc makeNamespace {child name} {
    set space [namespace qualifiers $name]
    if {[string trim $space :] ne ""} {interp eval $child [list namespace eval ::[string trimleft $space :] {}]}
}
proc globals {child} {
    set out {}
    if {[catch {interp eval $child {info globals}} names]} {return {}}
    foreach name [lsort $names] {
        if {[dict exists $::before $name]} continue
        if {[catch {interp eval $child [list array exists ::$name]} array]} continue
        if {$array} {
            foreach {key value} [interp eval $child [list array get ::$name]] {lappend out ${name}($key) $value}
        } elseif {![catch {interp eval $child [list set ::$name]} value]} {
            lappend out $name $value
        }
    }
    return $out
}

set child [interp create -safe]
interp alias $child puts {} print
interp alias $child file {} fileName
interp alias $child flush {} flushed
set real {}
set failed ""
if {[dict get $spec mocks] ne ""} {
    limitTime
    if {[catch {interp eval $child [dict get $spec mocks]} message]} {set failed "mocks.tcl: $message"}
}
interp alias $child __block {} cut
interp alias $child __assigned {} assigned
interp alias $child __lost {} lost
interp alias $child __entered {} entered
# Name to recorder; a proc that also opens blocks is both.
set recorders {}
foreach name [dict keys [dict get $spec procs]] {dict set recorders $name record}
foreach opener [dict get $spec openers] {dict set recorders [lindex $opener 1] block}
dict for {name recorder} $recorders {
    makeNamespace $child $name
    set full ::[string trimleft $name :]
    if {[interp eval $child [list namespace which -command $full]] ne ""} {
        # In its own namespace, where its variables are.
        interp eval $child [list rename $full "$full (mock)"]
        interp eval $child [list trace add execution "$full (mock)" enter [list __entered $name]]
        dict set real $name "$full (mock)"
    }
    interp alias $child $full {} $recorder $child $name
    interp eval $child [list trace add command $full {rename delete} [list __lost $name]]
}
foreach name {set info array namespace} {interp eval $child [list trace add command $name {rename delete} [list __lost $name]]}
array set written {}
foreach variable [dict get $spec variables] {
    lassign $variable name value
    makeNamespace $child $name
    set global ::[string trimleft $name :]
    if {![interp eval $child [list info exists $global]]} {interp eval $child [list set $global $value]}
    interp eval $child [list trace add variable $global write [list __assigned $name]]
}
foreach name {rename interp trace} {interp hide $child $name}
set before [dict create {*}[concat {*}[lmap name [interp eval $child {info globals}] {list $name 1}]]]
foreach name {__result __options errorInfo errorCode} {dict set before $name 1}
set output ""

# ---------------------------------------------------------------- the run
set script [dict get $spec script]
set line null
set errorInfo ""
if {$failed ne ""} {
    set error $failed
    set errorTrace ""
} elseif {![info complete $script]} {
    set error "the script is not complete"
    set errorTrace ""
} else {
    limitTime
    interp limit $child commands -value [expr {[interp eval $child {info cmdcount}] + [dict get $spec commands]}]
    # Caught inside, where Tcl knows the line; a limit and a cancellation come out all the same.
    set status [catch {interp eval $child [list catch $script ::__result ::__options]} message]
    catch {interp limit $child time -seconds {}}
    catch {interp limit $child commands -value {}}
    set options {}
    if {!$status} {
        set status $message
        interp limit $child commands -value {}
        if {[catch {
            set message [interp eval $child {set ::__result}]
            set options [interp eval $child {set ::__options}]
        } problem]} {
            set status 1
            set message $problem
        } elseif {$status == 2 && [dict get $options -code] != 0} {
            set status [dict get $options -code]
        }
    } elseif {$limit eq "" && [string match "*limit exceeded" $message]} {
        set limit [expr {[string match command* $message] ? "commands" : "time"}]
    }
    # `return` at the top ends a script normally.
    set error [expr {$status in {0 2} ? "" : $message}]
    if {$status ni {0 2} && $error eq ""} {set error "the script ended with status $status"}
    if {$limit eq "redefined"} {set error "the script redefines $redefined"}
    if {[dict exists $options -errorline] && $error ne ""} {set line [dict get $options -errorline]}
    set errorTrace [expr {[dict exists $options -errorinfo] ? [dict get $options -errorinfo] : ""}]
}
set variables {}
foreach name [lsort [array names written]] {
    set global ::[string trimleft $name :]
    if {![catch {interp eval $child [list set $global]} value]} {
        lappend variables "[jsonString $name]:[jsonWord $value]"
    }
}
set others {}
set room [dict get $spec characters]
foreach {name value} [globals $child] {
    if {[incr room -[string length $value]] < 0} break
    lappend others "[jsonString $name]:[jsonString $value]"
}
proc orNull {text} {return [expr {$text eq "" ? "null" : [jsonString $text]}]}
puts "{\"tcl\":[jsonString [info patchlevel]],\"error\":[orNull $error],\"line\":$line,\"trace\":[jsonString $errorTrace],\"limit\":[orNull $limit],\"events\":[jsonList $events],\"variables\":{[join $variables ,]},\"globals\":{[join $others ,]},\"output\":[jsonString $output]}"
