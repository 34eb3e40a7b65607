* SCIP STATISTICS
*   Problem name     : model3
*   Variables        : 8 (4 binary, 3 integer, 0 implicit integer, 1 continuous)
*   Constraints      : 2
NAME          model3
OBJSENSE
  MAX
ROWS
 N  Obj 
 L  cap 
 G  few 
COLUMNS
    INTSTART    'MARKER'                              'INTORG'                             
    x_0_        Obj                                3  cap                                2 
    x_0_        few                                1 
    x_1_        Obj                               -5  few                                1 
    x_1_        cap                               -3 
    x_2_        Obj                               -4  few                                1 
    x_2_        cap                               -3 
    x_3_        few                                1  Obj                               -3 
    x_3_        cap                               -1 
    y_0_        Obj                               -2 
    y_1_        cap                                2  Obj                              1.5 
    y_2_        cap                                1  Obj                                2 
    INTEND      'MARKER'                              'INTEND'                             
    v_constant  Obj                              7.5 
RHS
    RHS         cap                                9  few                                1 
BOUNDS
 BV Bound       x_0_                                 
 BV Bound       x_1_                                 
 BV Bound       x_2_                                 
 BV Bound       x_3_                                 
 LO Bound       y_1_                              -2 
 UP Bound       y_1_                               5 
 LO Bound       y_2_                              -2 
 UP Bound       y_2_                               5 
 LO Bound       y_0_                              -2 
 UP Bound       y_0_                               5 
 FX Bound       v_constant                         1 
ENDATA