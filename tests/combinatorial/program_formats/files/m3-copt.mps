NAME          COPTPROB
OBJSENSE
    MAX
ROWS
 N  __OBJ___
 L  cap     
 G  few     
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x_0_        __OBJ___  3
    x_0_        cap       2
    x_0_        few       1
    x_1_        __OBJ___  -5
    x_1_        cap       -3
    x_1_        few       1
    x_2_        __OBJ___  -4
    x_2_        cap       -3
    x_2_        few       1
    x_3_        __OBJ___  -3
    x_3_        cap       -1
    x_3_        few       1
    y_0_        __OBJ___  -2
    y_1_        __OBJ___  1.5
    y_1_        cap       2
    y_2_        __OBJ___  2
    y_2_        cap       1
    MARKER    'MARKER'                 'INTEND'
    v_constant  __OBJ___  7.5
RHS
    RHS       cap       9
    RHS       few       1
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
