* SCIP STATISTICS
*   Problem name     : model5
*   Variables        : 8 (4 binary, 3 integer, 0 implicit integer, 1 continuous)
*   Constraints      : 5
NAME          model5
OBJSENSE
  MAX
ROWS
 N  Obj 
 G  quadobj 
 L  cap 
 G  few 
 G  rlow 
 L  rhigh 
COLUMNS
    INTSTART    'MARKER'                              'INTORG'                             
    x_0_        Obj                                2  cap                               -1 
    x_0_        few                                1  rhigh                              1 
    x_0_        quadobj                            0  rlow                               1 
    x_1_        Obj                                3  rhigh                              1 
    x_1_        cap                                5  rlow                               1 
    x_1_        quadobj                            0  few                                1 
    x_2_        rlow                               1  cap                               -3 
    x_2_        rhigh                              1  few                                1 
    x_2_        Obj                               -5 
    x_3_        rhigh                              1  Obj                                3 
    x_3_        cap                               -1  few                                1 
    x_3_        rlow                               1 
    y_2_        rlow                               1  Obj                              0.5 
    y_2_        rhigh                              1 
    y_0_        rhigh                              1  Obj                                0 
    y_0_        rlow                               1 
    y_1_        Obj                                0  cap                                2 
    y_1_        rlow                               1  rhigh                              1 
    INTEND      'MARKER'                              'INTEND'                             
    quadobjvar  Obj                                1  quadobj                           -1 
RHS
    RHS         quadobj                            0  cap                                9 
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
 FR Bound       quadobjvar                           
QCMATRIX quadobj
    x_0_        x_1_                              -1 
    x_1_        x_0_                              -1 
ENDATA