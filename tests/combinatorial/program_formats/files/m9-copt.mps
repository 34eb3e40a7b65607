NAME          COPTPROB
OBJSENSE
    MAX
ROWS
 N  __OBJ___
 L  cap     
 G  low     
 G  few     
 G  rlow    
 L  rhigh   
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x_0_        __OBJ___  -1
    x_0_        cap       3
    x_0_        low       3
    x_0_        few       1
    x_0_        rlow      1
    x_0_        rhigh     1
    x_1_        __OBJ___  4
    x_1_        cap       2
    x_1_        low       1
    x_1_        few       1
    x_1_        rlow      1
    x_1_        rhigh     1
    x_2_        __OBJ___  5
    x_2_        cap       3
    x_2_        low       1
    x_2_        few       1
    x_2_        rlow      1
    x_2_        rhigh     1
    x_3_        __OBJ___  -2
    x_3_        cap       5
    x_3_        low       3
    x_3_        few       1
    x_3_        rlow      1
    x_3_        rhigh     1
    y_0_        __OBJ___  -2
    y_0_        cap       5
    y_0_        low       2
    y_0_        rlow      1
    y_0_        rhigh     1
    y_1_        __OBJ___  0.5
    y_1_        cap       5
    y_1_        low       3
    y_1_        rlow      1
    y_1_        rhigh     1
    y_2_        __OBJ___  1
    y_2_        cap       4
    y_2_        low       2
    y_2_        rlow      1
    y_2_        rhigh     1
    MARKER    'MARKER'                 'INTEND'
    f           __OBJ___  -1
    f           cap       3
    f           low       3
    v_constant  __OBJ___  7.5
RHS
    RHS       cap       9
    RHS       low       1
    RHS       few       1
    RHS       rlow      -2
    RHS       rhigh     6
BOUNDS
 UP BOUND     x_0_        1
 UP BOUND     x_1_        1
 UP BOUND     x_2_        1
 UP BOUND     x_3_        1
 LO BOUND     y_0_        -2
 UP BOUND     y_0_        5
 LO BOUND     y_1_        -2
 UP BOUND     y_1_        5
 LO BOUND     y_2_        -2
 UP BOUND     y_2_        5
 FX BOUND     v_constant  1
ENDATA
