"""DSL grammars of different kinds, as teams write them, with texts to begin from. Used to compare engines."""

from __future__ import annotations

JSON_LIKE = r'''
start: value
?value: object | array | STRING | NUMBER | "true" | "false" | "null"
object: "{" [pair ("," pair)*] "}"
pair: STRING ":" value
array: "[" [value ("," value)*] "]"
%import common.ESCAPED_STRING -> STRING
%import common.SIGNED_NUMBER -> NUMBER
%import common.WS
%ignore WS
'''

SQL = r'''
start: select ";"?
select: "select"i columns "from"i NAME [where] [order] [limit]
columns: "*" | column ("," column)*
column: NAME ["as"i NAME]
where: "where"i condition
?condition: condition "or"i conjunction | conjunction
?conjunction: conjunction "and"i test | test
?test: "not"i test | NAME OP literal | NAME "in"i "(" literal ("," literal)* ")" | "(" condition ")"
literal: NUMBER | SQL_STRING | "null"i
order: "order"i "by"i NAME ["asc"i | "desc"i]
limit: "limit"i INT
OP: "<=" | ">=" | "<>" | "=" | "<" | ">"
NAME: /[a-z_][a-z0-9_]*/i
SQL_STRING: /'([^']|'')*'/
INT: /[0-9]+/
NUMBER: /-?[0-9]+(\.[0-9]+)?/
%ignore /[ \t\n]+/
%ignore /--[^\n]*/
'''

RULE_DECK = r'''
start: line+
line: KIND LAYER VALUE "um"? _NL
    | "PAIR" LAYER LAYER VALUE _NL
    | "#" COMMENT _NL
KIND: "WIDTH" | "SPACING" | "ENCLOSURE"
LAYER: /M[1-9]|V[1-8]|POLY/
VALUE: /[0-9]+\.[0-9]{1,3}|[0-9]+/
COMMENT: /[^\n]+/
_NL: /\n+/
%ignore /[ \t]+/
'''

PRECEDENCE = r'''
start: expr
?expr: expr "||" conj | conj
?conj: conj "&&" cmp | cmp
?cmp: sum (("<" | "<=" | "==" | "!=") sum)?
?sum: sum ("+" | "-") product | product
?product: product ("*" | "/" | "%") power | power
?power: unary "**" power | unary
?unary: "-" unary | "!" unary | atom
?atom: NUMBER | NAME | NAME "(" [expr ("," expr)*] ")" | "(" expr ")"
NAME: /[a-zA-Z][a-zA-Z0-9]*/
NUMBER: /[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/
%ignore " "
'''

KEYWORDS = r'''
start: command+
command: "create" "clock" NAME "period" NUMBER ["waveform" NUMBER NUMBER] "end"
       | "set" "input" "delay" NUMBER "on" NAME "end"
       | "group" NAME "from" NAME "to" NAME "end"
       | "set" "false" "path" ("from" NAME | "to" NAME | "through" NAME)+ "end"
       | "if" NAME "is" NAME "then" command "else" command "fi"
NAME: /[a-z][a-z0-9_]*/
NUMBER: /[0-9]+/
%ignore /\s+/
'''

COMMENTS = r'''
start: item*
item: NAME "=" (NAME | NUMBER | DIV) ";"
    | "{" item* "}"
DIV: "/"
NAME: /[a-z]+/
NUMBER: /[0-9]+/
LINE: /\/\/[^\n]*/
BLOCK: /\/\*(.|\n)*?\*\//
HASH: /#[^\n]*\n/
%ignore LINE
%ignore BLOCK
%ignore HASH
%ignore /[ \n]/
'''

FLAGS = r'''
start: (entry ".")+
entry: KEY ":" VALUE | HEX | "END"i NUMBER | VERBOSE
KEY: /[a-c]+(-[a-c]+)?/i
VALUE: /"[^"]*"/s
HEX: /0x[0-9a-f]{2,4}/i
NUMBER: /[0-9]+/
VERBOSE: /
    @   # a sign
    [xyz]{2}
/x
%ignore /[ \t]/
'''

STRINGS = r'''
start: "say" string ("," string)*
?string: DOUBLE | SINGLE | RAW | HEREDOC
DOUBLE: /"([^"\\\n]|\\.)*"/
SINGLE: /'([^'\\\n]|\\['\\nt]|\\x[0-9a-f]{2})*'/
RAW: /r"[^"\n]*"/
HEREDOC: /<<.*?>>/
%import common.WS_INLINE
%ignore WS_INLINE
'''

CONTEXTUAL = r'''
start: (assign | call)+
assign: "let" NAME "be" VALUE "."
call: "run" NAME ["with" NAME] "."
NAME: /[a-z]+/
VALUE: /[a-z0-9 ]+/
%ignore " "
'''

RANGES = r'''
start: "[" range ("," range)* "]"
range: INT ".." INT | FLOAT | INT
INT: /[0-9]+/
FLOAT: /[0-9]+\.[0-9]+/
%ignore " "
'''

EARLEY = r'''
start: p A "c" | q A "d"
p: (A | B)*
q: (A | B)*
A: /a/
B: /b+/
%ignore " "
'''

EARLEY_WORDS = r'''
start: pair | other | x
pair: x x | y x
other: y ";" x ";"
x: "on" | "off" | NAME
y: "on" | NAME
NAME: /[a-z]+/
%ignore /[ ]+/
'''

TEMPLATES = r'''
start: _list{rule, ";"}
rule: NAME _list{arg, ","}
arg: NAME | "(" _list{NUMBER, ":"} ")"
_list{x, sep}: x (sep x)*
NAME.2: /[a-z]+/
WORD.1: /[a-z0-9]+/
NUMBER: /[0-9]{1,3}/
%ignore /[ \n]+/
'''

DANGLING = r'''
start: stmt
stmt: "if" C "then" stmt | "if" C "then" stmt "else" stmt | "go"
C: /[a-z]/
%ignore " "
'''

UNICODE = r'''
start: item+
item: NAME "→" NAME | "§" /\d+/ | SHY
NAME: /\w+/
SHY: /«[^»]*»/
%ignore /\s/
'''

# Lark's tables shift where they could reduce: "a" alone is no text, though the rules derive it.
SHIFTED = r'''
start: maybe "a" tail*
maybe: "a" |
tail: "b" | "c" maybe "a"
%ignore " "
'''

PRIORITIES = r'''
start: (short | long)+
short.2: X
long: X2
X.1: /x[0-9]/
X2.2: /x[0-9]{1,2}z?/
Y: /y/
%ignore /[ ]/
'''

LOOKS = r'''
start: (NAME | QUOTED | MINUS)+
NAME: /(?![0-9])[a-z0-9]+/
QUOTED: /`.*?(?<!\\)`/
MINUS: /-(?!-)[a-z]/
%ignore " "
'''

# name: (grammar, texts that lark accepts)
ZOO: dict[str, tuple[str, tuple[str, ...]]] = {
    "json": (JSON_LIKE, ('{"a": [1, -2.5e3, true], "b\\"c": {}}', '[ ]', 'null', '"\\u00e9"', '[{"x":"y"},[[]]]')),
    "sql": (SQL, ("select a, b as c from t where a <= 3 and not b = 'x''y' order by a desc limit 5;",
                  "SELECT * FROM t", "select a from t where (a in (1,-2) or b<>null)", "select a -- c\nfrom b")),
    "rule_deck": (RULE_DECK, ("WIDTH M1 0.12 um\nSPACING V1 3\n", "PAIR M1 M2 1.5\n\n# text here\n", "# PAIR\n")),
    "precedence": (PRECEDENCE, ("a+b*c", "-(a - 1.5e3)**2 <= f(x, y) && !z", "a || b == c", "f()", "1 - -2")),
    "keywords": (KEYWORDS, ("create clock clk period 10 end", "set false path from a to b through c end",
                            "if a is b then group x from y to z end else set input delay 3 on d end fi",
                            "create clock set period 5 waveform 0 2 end")),
    "comments": (COMMENTS, ("a = b; // c\n{ d = 3; }", "a=/;", "/* x */ a = /* * / */ 5;# hm\n", "{{}}", "",
                            "a=//\n/;")),
    "flags": (FLAGS, ('Ab-c : "x\ny".', "0xFf0a.", "end 12.END 3.", "@xy.aB:\"\".")),
    "strings": (STRINGS, ('say "a\\"b", \'it\\\'s\'', 'say r"raw\\", <<here > doc>>', "say '\\x0f','\\n'", 'say ""')),
    "contextual": (CONTEXTUAL, ("let let be be 1 two .", "run let with with .run run .", "let a be 7.")),
    "ranges": (RANGES, ("[1..2, 3.5, 7]", "[12]", "[1 ..2,0.0]")),
    "earley": (EARLEY, ("ac", "a b ad", "bbb a c", "aaabad")),
    "earley_words": (EARLEY_WORDS, ("on off", "on;off;", "x y", "on ; onoff;")),
    "templates": (TEMPLATES, ("a b, (1:22); c d", "x (1)", "ab (12 : 3), c")),
    "dangling": (DANGLING, ("if a then if b then go else go", "go", "if i then go else go", "if a then go")),
    "unicode": (UNICODE, ("é→ñ", "§42 a → b", "«anything é»", "§٣")),
    "shifted": (SHIFTED, ("aa", "a a b", "aabcaa", "aac a a")),
    "priorities": (PRIORITIES, ("x1 x22 x3z", "x12x3")),
    "looks": (LOOKS, ("abc `x\\`y` -a", "a1 b2", "-b", "``")),
}
