NAME        m7
OBJSENSE
  MAX
ROWS
 N  obj     
 L  cap     
 G  low     
 G  few     
COLUMNS
    MARK0000  'MARKER'                 'INTORG'
    x_0_      obj       5
    x_0_      cap       -1
    x_0_      low       3
    x_0_      few       1
    x_1_      obj       1
    x_1_      cap       -3
    x_1_      low       1
    x_1_      few       1
    x_2_      obj       2
    x_2_      cap       -1
    x_2_      low       3
    x_2_      few       1
    x_3_      obj       4
    x_3_      cap       -1
    x_3_      low       1
    x_3_      few       1
    y_0_      obj       0.5
    y_0_      cap       4
    y_0_      low       2
    y_1_      obj       1.5
    y_1_      cap       5
    y_1_      low       3
    y_2_      obj       2
    y_2_      cap       -3
    y_2_      low       1
    MARK0001  'MARKER'                 'INTEND'
    f         obj       -1
    f         cap       1
    f         low       2
RHS
    RHS_V     cap       9
    RHS_V     low       1
    RHS_V     few       1
BOUNDS
 BV BOUND     x_0_    
 BV BOUND     x_1_    
 BV BOUND     x_2_    
 BV BOUND     x_3_    
 LI BOUND     y_0_      -2
 UI BOUND     y_0_      5
 LI BOUND     y_1_      -2
 UI BOUND     y_1_      5
 LI BOUND     y_2_      -2
 UI BOUND     y_2_      5
ENDATA
