NAME obj
OBJSENSE MAX
ROWS
 N  OBJ
 L  cap     
 G  low     
 G  few     
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x_0_      OBJ       5
    x_0_      cap       -1
    x_0_      low       3
    x_0_      few       1
    x_1_      OBJ       1
    x_1_      cap       -3
    x_1_      low       1
    x_1_      few       1
    x_2_      OBJ       2
    x_2_      cap       -1
    x_2_      low       3
    x_2_      few       1
    x_3_      OBJ       4
    x_3_      cap       -1
    x_3_      low       1
    x_3_      few       1
    y_0_      OBJ       0.5
    y_0_      cap       4
    y_0_      low       2
    y_1_      OBJ       1.5
    y_1_      cap       5
    y_1_      low       3
    y_2_      OBJ       2
    y_2_      cap       -3
    y_2_      low       1
    MARKER    'MARKER'                 'INTEND'
    f         OBJ       -1
    f         cap       1
    f         low       2
RHS
    RHS1      cap       9
    RHS1      low       1
    RHS1      few       1
BOUNDS
 BV BND1      x_0_    
 BV BND1      x_1_    
 BV BND1      x_2_    
 BV BND1      x_3_    
 LO BND1      y_0_      -2
 UP BND1      y_0_      5
 LO BND1      y_1_      -2
 UP BND1      y_1_      5
 LO BND1      y_2_      -2
 UP BND1      y_2_      5
ENDATA
