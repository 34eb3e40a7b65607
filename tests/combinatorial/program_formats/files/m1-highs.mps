NAME        m1
OBJSENSE
  MAX
ROWS
 N  obj     
 L  cap     
 G  few     
 G  rlow    
 L  rhigh   
COLUMNS
    MARK0000  'MARKER'                 'INTORG'
    x_2_      obj       3
    x_2_      cap       -1
    x_2_      few       1
    x_2_      rlow      1
    x_2_      rhigh     1
    x_3_      obj       5
    x_3_      cap       4
    x_3_      few       1
    x_3_      rlow      1
    x_3_      rhigh     1
    y_0_      obj       -2.5
    y_0_      rlow      1
    y_0_      rhigh     1
    y_1_      obj       -2
    y_1_      cap       -1
    y_1_      rlow      1
    y_1_      rhigh     1
    y_2_      obj       2
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
    MARK0001  'MARKER'                 'INTEND'
RHS
    RHS_V     cap       9
    RHS_V     few       1
    RHS_V     rlow      -2
    RHS_V     rhigh     6
BOUNDS
 BV BOUND     x_2_    
 BV BOUND     x_3_    
 LI BOUND     y_0_      -2
 UI BOUND     y_0_      5
 LI BOUND     y_1_      -2
 UI BOUND     y_1_      5
 LI BOUND     y_2_      -2
 UI BOUND     y_2_      5
 BV BOUND     x_0_    
 BV BOUND     x_1_    
ENDATA
