NAME obj
OBJSENSE MAX
ROWS
 N  OBJ
 L  cap     
 L  on      
 G  off     
 E  two     
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x         OBJ       3
    x         cap       1
    x         on        1
    x         off       1
    y         OBJ       2
    y         cap       1
    y         off       -1
    y         two       1
    MARKER    'MARKER'                 'INTEND'
    w         OBJ       1
    w         cap       1
    w         on        1
    w         two       1
    MARKER    'MARKER'                 'INTORG'
    z         OBJ       -4
    u         OBJ       -1
    MARKER    'MARKER'                 'INTEND'
RHS
    RHS1      cap       12
    RHS1      on        2
    RHS1      off       1
    RHS1      two       3
BOUNDS
 UP BND1      x         8
 UP BND1      y         6
 UP BND1      w         7.5
 BV BND1      z       
 BV BND1      u       
INDICATORS
 IF on        z         0
 IF off       u         1
 IF two       u         0
ENDATA
