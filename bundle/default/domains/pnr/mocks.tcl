# Tcl stand-ins for the pnr procs:  tclsh> source mocks.tcl; source script.tcl
# They check option names, missing values and required arguments, and return plausible values;
# value types and ranges are the catalog's business.

namespace eval mock {variable table}

# name, arguments, result.  Arguments: name (required option), ?name (optional), !name (flag),
# @name (positional), @?name (optional positional), %name (positional Tcl body).
set mock::table {
    fp::create_die           {width height ?core_margin}                          250000.0
    fp::resize_die           {?width ?height}                                     {}
    fp::set_utilization      {target ?aspect_ratio}                               {}
    fp::create_rows          {site !flip_first}                                   120
    fp::place_macro          {macro x y ?orient !fixed}                           {}
    fp::add_halo             {macro size}                                         {}
    fp::add_blockage         {box ?mode ?max_density}                             {}
    fp::block_area           {box}                                                {}
    fp::place_pins           {side layer ?pitch @ports}                           {}
    fp::add_tap_cells        {cell ?distance}                                     340
    fp::add_end_caps         {left ?right}                                        240
    fp::create_region        {name ?style box cells}                              {}
    fp::list_macros          {?status}                                            {u_ram0 u_ram1}
    fp::utilization          {}                                                   0.68
    place::global_place      {?effort ?density !timing_driven !congestion_driven} 128400.5
    place::detail_place      {?max_shift ?passes}                                 121900.2
    place::legalize          {@?cells}                                            17
    place::place_cell        {cell x y ?orient}                                   {}
    place::move_cell         {cell ?dx ?dy}                                       {}
    place::fix               {@cells}                                             {}
    place::unfix             {@cells}                                             {}
    place::swap_cells        {@first @second}                                     1
    place::set_padding       {cell ?left ?right}                                  {}
    place::set_net_weight    {net weight}                                         {}
    place::add_fillers       {?prefix @cells}                                     5210
    place::is_placed         {@cell}                                              0
    place::overlap_count     {}                                                   3
    place::unplaced_cells    {?match}                                             {u4 u9}
    power::create_supply     {net type ?voltage}                                  {}
    power::connect_pins      {net pin @?cells}                                    9100
    power::add_ring          {nets layers width spacing ?offset}                  {}
    power::add_stripes       {nets layer width pitch ?offset}                     24
    power::add_rails         {nets ?layer ?width}                                 {}
    power::connect_layers    {from to ?net}                                       880
    power::insert_decaps     {cell ?count ?total_cap}                             200
    power::set_activity      {toggle_rate ?net ?cell}                             {}
    power::ir_drop           {net ?mode}                                          18.4
    power::total             {?part}                                              42.7
    power::open_pins         {net}                                                {u3/VDD}
    route::set_layer_range   {min max}                                            {}
    route::set_direction     {layer direction}                                    {}
    route::create_ndr        {name width spacing}                                 {}
    route::assign_ndr        {name @nets}                                         {}
    route::route_net         {net layer ?width ?vias !wide}                       12
    route::route_bus         {nets layer ?pitch}                                  64
    route::route_pair        {positive negative layer gap}                        1
    route::shield_net        {net ?ground ?layer}                                 {}
    route::rip_up            {!keep_shields @nets}                                {}
    route::clear_layer       {layer}                                              310
    route::add_via           {net from to x y ?cuts}                              {}
    route::add_keepout       {box ?layers}                                        {}
    route::global_route      {?effort !timing_driven}                             0.02
    route::detail_route      {?iterations !fix_antenna}                           0
    route::eco_route         {@?nets}                                             2
    route::insert_diodes     {cell @nets}                                         4
    route::metal_fill        {layers ?density ?clearance}                         {}
    route::drc_count         {?layer}                                             0
    route::is_routed         {@net}                                               1
    route::open_nets         {}                                                   {n12 n40}
    route::wire_length       {@net}                                               356.2
    route::write_def         {file ?version !no_fill}                             {}
    sta::create_clock        {name period ?duty @port}                            {}
    sta::set_uncertainty     {clock ?setup ?hold}                                 {}
    sta::set_propagated      {clock ?enable}                                      {}
    sta::set_input_delay     {clock delay @ports}                                 {}
    sta::set_output_delay    {clock delay @ports}                                 {}
    sta::set_load            {cap @ports}                                         {}
    sta::false_path          {?from ?to}                                          {}
    sta::multicycle_path     {cycles from to}                                     {}
    sta::build_clock_tree    {clock buffers ?max_skew !use_inverters}             31.5
    sta::fix_timing          {check ?margin ?max_buffers}                         48
    sta::worst_slack         {?check ?clock}                                      -0.12
    sta::total_slack         {?check ?clock}                                      -3.4
    sta::violation_count     {?check}                                             7
    sta::critical_net        {?clock}                                             n_crit
    sta::list_clocks         {}                                                   {sys io}
    sta::report_paths        {?check ?count ?file}                                {}
    sta::with_corner         {corner %body}                                       {}
}

# The option that a word means: exact, or a unique prefix.
proc mock::option {proc names word} {
    set key [string range $word 1 end]
    if {$key in $names} {return $key}
    set hits [lsearch -all -inline $names ${key}*]
    if {$key eq "" || [llength $hits] == 0} {error "$proc: unknown option \"$word\""}
    if {[llength $hits] > 1} {error "$proc: ambiguous option \"$word\": $hits"}
    return [lindex $hits 0]
}

proc mock::call {proc spec result words} {
    set options {}; set flags {}; set positional {}; set missing {}; set body ""
    foreach arg $spec {
        set name [string trimleft $arg "?!@%"]
        switch -glob -- $arg {
            !*      {lappend flags $name}
            @* - %* {lappend positional $name}
            default {lappend options $name}
        }
        if {$arg ni [list !$name ?$name @?$name]} {lappend missing $name}
        if {$arg eq "%$name"} {set body $name}
    }
    set given [dict create]; set free {}
    for {set i 0} {$i < [llength $words]} {incr i} {
        set word [lindex $words $i]
        if {![regexp {^-[A-Za-z]} $word]} {lappend free $word; continue}
        if {[llength $free]} {error "$proc: option $word after a positional argument"}
        set name [mock::option $proc [concat $options $flags] $word]
        if {[dict exists $given $name]} {error "$proc: -$name given twice"}
        if {$name in $flags} {dict set given $name 1; continue}
        if {[incr i] >= [llength $words]} {error "$proc: -$name has no value"}
        dict set given $name [lindex $words $i]
    }
    if {[llength $free] > [llength $positional]} {error "$proc: too many arguments"}
    foreach value $free name [lrange $positional 0 [llength $free]-1] {dict set given $name $value}
    foreach name $missing {
        if {![dict exists $given $name]} {error "$proc: $name is missing"}
    }
    if {$body ne ""} {return [uplevel 2 [dict get $given $body]]}
    return $result
}

foreach {name spec result} $mock::table {
    namespace eval [namespace qualifiers $name] {}
    proc ::$name args [format {mock::call %s $args} [list $name $spec $result]]
}

proc dsl {body} {
    if {[string trim $body] eq ""} {error "dsl: empty block"}
}

namespace eval ::tech {}; set ::tech::corner tt
namespace eval ::tech {}; set ::tech::temperature 25
namespace eval ::tech {}; set ::tech::vdd 0.8
namespace eval ::opt {}; set ::opt::effort medium
namespace eval ::opt {}; set ::opt::max_fanout 32
namespace eval ::flow {}; set ::flow::threads 4
unset name spec result
