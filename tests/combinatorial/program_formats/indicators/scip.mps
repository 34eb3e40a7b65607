* SCIP STATISTICS
*   Problem name     : a.lp
*   Variables        : 9 (2 binary, 2 integer, 0 implicit integer, 5 continuous)
*   Constraints      : 9
NAME          a.lp
OBJSENSE
  MAX
ROWS
 N  Obj 
 L  cap 
 L  indlin_on 
 L  indlin_off 
 L  indlin_two 
 L  indlin_two_eqneg 
COLUMNS
    INTSTART            'MARKER'                                      'INTORG'                                     
    x                   indlin_off                                -1  Obj                                        3 
    x                   cap                                        1  indlin_on                                  1 
    y                   indlin_off                                 1  Obj                                        2 
    y                   cap                                        1  indlin_two_eqneg                          -1 
    y                   indlin_two                                 1 
    z                   Obj                                       -4 
    u                   Obj                                       -1 
    INTEND              'MARKER'                                      'INTEND'                                     
    w                   indlin_two                                 1  indlin_two_eqneg                          -1 
    w                   indlin_on                                  1  Obj                                        1 
    w                   cap                                        1 
RHS
    RHS                 cap                                       12  indlin_on                                  2 
    RHS                 indlin_off                                -1  indlin_two                                 3 
    RHS                 indlin_two_eqneg                          -3 
BOUNDS
 BV Bound               z                                            
 BV Bound               u                                            
 UP Bound               x                                          8 
 UP Bound               y                                          6 
 UP Bound               w                                        7.5 
INDICATORS
 IF indlin_on           z                                          0 
 IF indlin_off          u                                          1 
 IF indlin_two          u                                          0 
 IF indlin_two_eqneg    u                                          0 
ENDATA