NAME obj
OBJSENSE MAX
ROWS
 N  OBJ
 L  cap     
 G  few     
 G  rlow    
 L  rhigh   
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x_2_      OBJ       3
    x_2_      cap       -1
    x_2_      few       1
    x_2_      rlow      1
    x_2_      rhigh     1
    x_3_      OBJ       5
    x_3_      cap       4
    x_3_      few       1
    x_3_      rlow      1
    x_3_      rhigh     1
    y_0_      OBJ       -2.5
    y_0_      rlow      1
    y_0_      rhigh     1
    y_1_      OBJ       -2
    y_1_      cap       -1
    y_1_      rlow      1
    y_1_      rhigh     1
    y_2_      OBJ       2
    y_2_      cap       4
    y_2_      rlow      1
    y_2_      rhigh     1
    x_0_      cap       5
    x_0_      few       1
    x_0_      rlow      1
    x_0_      rhigh     1
    x_1_      cap       -1
    x_1_      few       1
    x_1_      rlow      1
    x_1_      rhigh     1
    MARKER    'MARKER'                 'INTEND'
RHS
    RHS1      cap       9
    RHS1      few       1
    RHS1      rlow      -2
    RHS1      rhigh     6
BOUNDS
 BV BND1      x_2_    
 BV BND1      x_3_    
 LO BND1      y_0_      -2
 UP BND1      y_0_      5
 LO BND1      y_1_      -2
 UP BND1      y_1_      5
 LO BND1      y_2_      -2
 UP BND1      y_2_      5
 BV BND1      x_0_    
 BV BND1      x_1_    
ENDATA
