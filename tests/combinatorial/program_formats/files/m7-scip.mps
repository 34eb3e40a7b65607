* SCIP STATISTICS
*   Problem name     : model7
*   Variables        : 8 (4 binary, 3 integer, 0 implicit integer, 1 continuous)
*   Constraints      : 3
NAME          model7
OBJSENSE
  MAX
ROWS
 N  Obj 
 L  cap 
 G  low 
 G  few 
COLUMNS
    INTSTART  'MARKER'                            'INTORG'                           
    x_0_      Obj                              5  low                              3 
    x_0_      cap                             -1  few                              1 
    x_1_      low                              1  few                              1 
    x_1_      Obj                              1  cap                             -3 
    x_2_      Obj                              2  few                              1 
    x_2_      cap                             -1  low                              3 
    x_3_      few                              1  low                              1 
    x_3_      cap                             -1  Obj                              4 
    y_0_      Obj                            0.5  low                              2 
    y_0_      cap                              4 
    y_1_      cap                              5  Obj                            1.5 
    y_1_      low                              3 
    y_2_      cap                             -3  low                              1 
    y_2_      Obj                              2 
    INTEND    'MARKER'                            'INTEND'                           
    f         low                              2  cap                              1 
    f         Obj                             -1 
RHS
    RHS       cap                              9  low                              1 
    RHS       few                              1 
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
 PL Bound     f                                  
ENDATA