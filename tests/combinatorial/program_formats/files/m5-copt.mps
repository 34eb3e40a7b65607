NAME          COPTPROB
OBJSENSE
    MAX
ROWS
 N  __OBJ___
 L  cap     
 G  few     
 G  rlow    
 L  rhigh   
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x_0_      __OBJ___  2
    x_0_      cap       -1
    x_0_      few       1
    x_0_      rlow      1
    x_0_      rhigh     1
    x_1_      __OBJ___  3
    x_1_      cap       5
    x_1_      few       1
    x_1_      rlow      1
    x_1_      rhigh     1
    x_2_      __OBJ___  -5
    x_2_      cap       -3
    x_2_      few       1
    x_2_      rlow      1
    x_2_      rhigh     1
    x_3_      __OBJ___  3
    x_3_      cap       -1
    x_3_      few       1
    x_3_      rlow      1
    x_3_      rhigh     1
    y_2_      __OBJ___  0.5
    y_2_      rlow      1
    y_2_      rhigh     1
    y_0_      rlow      1
    y_0_      rhigh     1
    y_1_      cap       2
    y_1_      rlow      1
    y_1_      rhigh     1
    MARKER    'MARKER'                 'INTEND'
RHS
    RHS       cap       9
    RHS       few       1
    RHS       rlow      -2
    RHS       rhigh     6
BOUNDS
 UP BOUND     x_0_      1
 UP BOUND     x_1_      1
 UP BOUND     x_2_      1
 UP BOUND     x_3_      1
 LO BOUND     y_2_      -2
 UP BOUND     y_2_      5
 LO BOUND     y_0_      -2
 UP BOUND     y_0_      5
 LO BOUND     y_1_      -2
 UP BOUND     y_1_      5
QMATRIX
    x_1_      x_0_      -2
    x_0_      x_1_      -2
ENDATA
