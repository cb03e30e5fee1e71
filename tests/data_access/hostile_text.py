"""About three hundred classic strings that have broken programs by being read as code."""

LINES = r"""
' or '1'='1
' or 1=1 --
'; drop table exchange.applications; --
'; drop schema review cascade; --
" or ""="
1; select pg_sleep(10)
1' and sleep(5) --
') or ('a'='a
admin'--
admin' #
admin'/*
' union select null --
' union select null, null --
' union all select version() --
'||(select password from pg_shadow)||'
$$; select 1; $$
$tag$ body $tag$
E'\x41'
U&'\0041'
''
''''
"
""
`
``
´
’
\
\\
\'
\"
\n
\0
\x00
\u0000
\%
\_
\\%
%
%%
%s
%d
%n
%(name)s
%%(name)s
%1$s
%x%x%x%x
%00
%27
%20or%201=1
%a
a%
%a%
_
__
_____
a_
_b
a_b
%_
_%
[a-z]
[%]
[^a]
{0}
{}
{{}}
{name}
{{7*7}}
${7*7}
#{7*7}
<%= 7*7 %>
{% debug %}
$PATH
$(whoami)
`whoami`
| ls
; ls
& dir
&& ls
|| ls
> /tmp/x
< /etc/passwd
../../../etc/passwd
..\..\..\windows\win.ini
/etc/passwd
file:///etc/passwd
C:\Windows\System32
CON
PRN
NUL
COM1
<script>alert(1)</script>
<img src=x onerror=alert(1)>
"><script>alert(1)</script>
'><svg onload=alert(1)>
<iframe src=javascript:alert(1)>
javascript:alert(1)
data:text/html,<b>x</b>
<!-- comment -->
<![CDATA[x]]>
<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>
&lt;b&gt;
&#60;b&#62;
&amp;amp;
*bold*
**bold**
_italic_
~~gone~~
[a](http://evil.example)
![a](http://evil.example/x.png)
:red[alarm]
:material/check:
$x^2$
# heading
> quote
---
| a | b |
- item
=1+1
+1+1
-1+1
@sum(1)
=cmd|' /C calc'!A0
=HYPERLINK("http://evil.example")
＝1+1
＠sum
undefined
undef
null
NULL
(null)
nil
NIL
None
none
NaN
nan
Infinity
-Infinity
inf
true
True
TRUE
false
False
hasOwnProperty
constructor
__proto__
__class__
self
this
then
default
0
1
-1
00
01
1.00
-1.00
1/2
1E2
1e309
1E+02
$1.00
1,000
1.000,00
1 000
0x0
0xffffffff
0b101
0o17
123456789012345678
999999999999999999
9223372036854775807
9223372036854775808
99999999999999999999
-9223372036854775808
2147483647
2147483648
4294967296
99999999999999999999999999999999999999999999
0.0000000000000000000000000001
--
--1
---1
/*
*/
/* x */
/**/or/**/1=1
;
;;
:
::
::text
:name
:1
?
??
?1
$1
$2
$$
@
@@
@@@
@meadow
@@meadow
@at
@@at
@ meadow
@%
@_
@\
@'
!
!!
^
^a
a$
.*
.+
(
)
(a
a)
((((((((((
*
+
~
~*
~~
~~*
!~~*
like
ilike 'x'
similar to
and
or
not
in (1,2)
select
select 1
select * from review.decisions
insert into review.notes values (1)
update exchange.applications set status='approved'
delete from review.decisions
truncate review.notes
copy review.notes to program 'id'
begin; rollback;
begin
commit
abort
vacuum
set role postgres
current_user
pg_sleep(10)
pg_read_file('/etc/passwd')
lo_import('/etc/passwd')
xmlparse(document 'x')
information_schema
ångström
ÅNGSTRÖM
Ångström
ünal
ÜNAL
ISTANBUL
istanbul
İstanbul
ıstanbul
истра
ИСТРА
σοφος
σοφοσ
ΣΟΦΟΣ
straße
STRASSE
STRAẞE
ﬁ
ﬀ
ǅ
K
Ω
ſ
１００％
％
＿
田中さんにあげて下さい
和製漢語
社會科學院語學研究所
울란바토르
찦차를 타고 온 펲시맨과 쑛다리 똠방각하
הָיְתָהtestالصفحات
مُنَاقَشَةُ سُبُلِ
ثم نفس سقطت
बहुत
ไทย
🦔
🦔 hedgehog
👩‍👩‍👧‍👦
👾 🙇 💁
🇧🇷
🏳️‍🌈
❤️
✋🏿
(｡◕ ∀ ◕｡)
¯\_(ツ)_/¯
( ͡° ͜ʖ ͡°)
﷽
𝕿𝖍𝖊
𝐓𝐡𝐞
ʇsǝʇ
Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮
é
é
naïve
NAÏVE
two words
two  words
 two
words
O'Neil
o'neil
say "hi"
back\slash
back\\slash
meadow_trader
meadowxtrader
MEADOW
100%
100
1000
a b c d e f g
"""
SIGNS = (
    "\u0000",
    "a\u0000b",
    "\u0001",
    "\u0007bell",
    "\u001b[31mred",
    "\u007f",
    "\u0085",
    "\u00a0",
    "\u00ad",
    "\u034f",
    "\u115f",
    "\u1680",
    "\u180e",
    "\u200b",
    "\u200e",
    "\u202e\u0066",
    "\u2028",
    "\u2029",
    "\u2060",
    "\u2066x\u2069",
    "\u3000",
    "\ufdd0",
    "\ufeff",
    "\ufffd",
    "\ufffe",
    "\uffff",
    "\U0001f3f4\U000e0067",
    "\U0010ffff",
    "\ud800",
    "\udfff",
    "\ud83d",
    "words ",
    "\t",
    "\n",
    "\r\n",
    "\v\f",
    " ",
    "",
    "a" * 99,
    "a" * 100,
    "a" * 101,
    "a" * 10_000,
    "%" * 100,
    "_" * 100,
    "\\" * 100,
    "'" * 100,
    "@" * 100,
    "🦔" * 100,
    "9" * 100,
    "(" * 100,
)
HOSTILE_TEXT = (*(line for line in LINES.splitlines() if line), *SIGNS)
