NAME obj
OBJSENSE MAX
ROWS
 N  OBJ
 L  cap     
 G  few     
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x_0_      OBJ       3
    x_0_      cap       2
    x_0_      few       1
    x_1_      OBJ       -5
    x_1_      cap       -3
    x_1_      few       1
    x_2_      OBJ       -4
    x_2_      cap       -3
    x_2_      few       1
    x_3_      OBJ       -3
    x_3_      cap       -1
    x_3_      few       1
    y_0_      OBJ       -2
    y_1_      OBJ       1.5
    y_1_      cap       2
    y_2_      OBJ       2
    y_2_      cap       1
    MARKER    'MARKER'                 'INTEND'
    v_constant  OBJ       7.5
RHS
    RHS1      cap       9
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
 FX BND1      v_constant  1
ENDATA
