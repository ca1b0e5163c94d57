/* A step past the end of an array: whoever checks the tests finds this first,
   or is not looking. */
#include <stdlib.h>

int main(void)
{
    volatile char *array = malloc(1);
    return array == NULL ? 1 : array[1];
}
