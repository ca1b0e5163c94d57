/* Reads memory that it has given back: whoever checks the tests finds this
   first, or is not looking. */
#include <stdlib.h>

int main(void)
{
    volatile char *array = malloc(1);
    free((void *)array);
    return array[0];
}
