* SCIP STATISTICS
*   Problem name     : model9
*   Variables        : 9 (4 binary, 3 integer, 0 implicit integer, 2 continuous)
*   Constraints      : 5
NAME          model9
OBJSENSE
  MAX
ROWS
 N  Obj 
 L  cap 
 G  low 
 G  few 
 G  rlow 
 L  rhigh 
COLUMNS
    INTSTART    'MARKER'                              'INTORG'                             
    x_0_        Obj                               -1  rhigh                              1 
    x_0_        few                                1  rlow                               1 
    x_0_        low                                3  cap                                3 
    x_1_        Obj                                4  few                                1 
    x_1_        rhigh                              1  low                                1 
    x_1_        cap                                2  rlow                               1 
    x_2_        cap                                3  Obj                                5 
    x_2_        rlow                               1  rhigh                              1 
    x_2_        few                                1  low                                1 
    x_3_        cap                                5  rlow                               1 
    x_3_        low                                3  few                                1 
    x_3_        Obj                               -2  rhigh                              1 
    y_0_        rhigh                              1  cap                                5 
    y_0_        low                                2  rlow                               1 
    y_0_        Obj                               -2 
    y_1_        rlow                               1  Obj                              0.5 
    y_1_        cap                                5  low                                3 
    y_1_        rhigh                              1 
    y_2_        Obj                                1  cap                                4 
    y_2_        low                                2  rhigh                              1 
    y_2_        rlow                               1 
    INTEND      'MARKER'                              'INTEND'                             
    f           cap                                3  low                                3 
    f           Obj                               -1 
    v_constant  Obj                              7.5 
RHS
    RHS         cap                                9  low                                1 
    RHS         few                                1  rlow                              -2 
    RHS         rhigh                              6 
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
 PL Bound       f                                    
 FX Bound       v_constant                         1 
ENDATA