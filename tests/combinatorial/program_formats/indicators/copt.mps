NAME          COPTPROB
OBJSENSE
    MAX
ROWS
 N  __OBJ___
 L  cap     
 L  on      
 G  off     
 E  two     
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x         __OBJ___  3
    x         cap       1
    x         on        1
    x         off       1
    y         __OBJ___  2
    y         cap       1
    y         off       -1
    y         two       1
    MARKER    'MARKER'                 'INTEND'
    w         __OBJ___  1
    w         cap       1
    w         on        1
    w         two       1
    MARKER    'MARKER'                 'INTORG'
    z         __OBJ___  -4
    u         __OBJ___  -1
    MARKER    'MARKER'                 'INTEND'
RHS
    RHS       cap       12
    RHS       on        2
    RHS       off       1
    RHS       two       3
BOUNDS
 UP BOUND     x         8
 UP BOUND     y         6
 UP BOUND     w         7.5
 UP BOUND     z         1
 UP BOUND     u         1
INDICATORS
 IF on        z         0
 IF off       u         1
 IF two       u         0
ENDATA
