* SCIP STATISTICS
*   Problem name     : model1
*   Variables        : 7 (4 binary, 3 integer, 0 implicit integer, 0 continuous)
*   Constraints      : 4
NAME          model1
OBJSENSE
  MAX
ROWS
 N  Obj 
 L  cap 
 G  few 
 G  rlow 
 L  rhigh 
COLUMNS
    INTSTART  'MARKER'                            'INTORG'                           
    x_2_      few                              1  Obj                              3 
    x_2_      cap                             -1  rhigh                            1 
    x_2_      rlow                             1 
    x_3_      few                              1  Obj                              5 
    x_3_      rhigh                            1  rlow                             1 
    x_3_      cap                              4 
    y_0_      rhigh                            1  Obj                           -2.5 
    y_0_      rlow                             1 
    y_1_      rlow                             1  Obj                             -2 
    y_1_      rhigh                            1  cap                             -1 
    y_2_      Obj                              2  rlow                             1 
    y_2_      rhigh                            1  cap                              4 
    x_0_      rhigh                            1  rlow                             1 
    x_0_      Obj                              0  few                              1 
    x_0_      cap                              5 
    x_1_      rlow                             1  cap                             -1 
    x_1_      Obj                              0  few                              1 
    x_1_      rhigh                            1 
    INTEND    'MARKER'                            'INTEND'                           
RHS
    RHS       cap                              9  few                              1 
    RHS       rlow                            -2  rhigh                            6 
BOUNDS
 BV Bound     x_0_                               
 BV Bound     x_1_                               
 BV Bound     x_2_                               
 BV Bound     x_3_                               
 LO Bound     y_1_                            -2 
 UP Bound     y_1_                             5 
 LO Bound     y_2_                            -2 
 UP Bound     y_2_                             5 
 LO Bound     y_0_                            -2 
 UP Bound     y_0_                             5 
ENDATA