#include "check.h"
#include "picture.h"

/* ------------------------------------------------------------ one picture */

enum { ROWS = 3, COLUMNS = 4 };

static const uint8_t PICTURE[ROWS * COLUMNS] = {
    1, 2, 3, 4,
    5, 6, 7, 8,
    9, 10, 11, 12,
};

static void check_move(Pose pose, const uint8_t *expected)
{
    uint8_t to[ROWS * COLUMNS + 2];
    memset(to, 99, sizeof to);
    picture_move(PICTURE, ROWS, COLUMNS, pose, to + 1);
    assert_same_bits((size_t)ROWS * COLUMNS, to + 1, expected);
    g_assert_cmpuint(to[0], ==, 99);
    g_assert_cmpuint(to[ROWS * COLUMNS + 1], ==, 99);
}

static void nothing_moves(void)
{
    check_move((Pose){false, 0, 0}, PICTURE);
}

static void pictures_shift(void)
{
    check_move((Pose){false, 1, 0}, (const uint8_t[]){
        0, 0, 0, 0,
        1, 2, 3, 4,
        5, 6, 7, 8 });
    check_move((Pose){false, -2, 0}, (const uint8_t[]){
        9, 10, 11, 12,
        0, 0, 0, 0,
        0, 0, 0, 0 });
    check_move((Pose){false, 0, 1}, (const uint8_t[]){
        0, 1, 2, 3,
        0, 5, 6, 7,
        0, 9, 10, 11 });
    check_move((Pose){false, 0, -3}, (const uint8_t[]){
        4, 0, 0, 0,
        8, 0, 0, 0,
        12, 0, 0, 0 });
    check_move((Pose){false, -1, 2}, (const uint8_t[]){
        0, 0, 5, 6,
        0, 0, 9, 10,
        0, 0, 0, 0 });
}

static void pictures_are_mirrored_then_shifted(void)
{
    check_move((Pose){true, 0, 0}, (const uint8_t[]){
        4, 3, 2, 1,
        8, 7, 6, 5,
        12, 11, 10, 9 });
    check_move((Pose){true, 1, 1}, (const uint8_t[]){
        0, 0, 0, 0,
        0, 4, 3, 2,
        0, 8, 7, 6 });
    check_move((Pose){true, 0, -3}, (const uint8_t[]){
        1, 0, 0, 0,
        5, 0, 0, 0,
        9, 0, 0, 0 });
}

static void a_pixel_goes_where_the_pose_says(void)
{
    for (int p = 0; p < 2 * 5 * 7; p++) {
        const Pose pose = {p % 2, p / 2 % 5 - 2, p / 10 - 3};
        uint8_t to[ROWS * COLUMNS];
        picture_move(PICTURE, ROWS, COLUMNS, pose, to);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < COLUMNS; c++) {
                int row = r - pose.down, column = c - pose.right;
                if (pose.mirrored)
                    column = COLUMNS - 1 - column;
                const bool inside = row >= 0 && row < ROWS && column >= 0
                                    && column < COLUMNS;
                g_assert_cmpuint(to[r * COLUMNS + c], ==,
                    inside ? PICTURE[row * COLUMNS + column] : 0);
            }
    }
}

/* ------------------------------------------------------------- many draws */

enum { DRAWS = 100000 };

/* Frequencies within five standard deviations of what is expected. */
static void assert_frequency(double times, double expected)
{
    const double sd = sqrt(DRAWS * expected * (1 - expected));
    g_assert_cmpfloat(fabs(times - DRAWS * expected), <, 5 * sd);
}

static void poses_are_uniform(void)
{
    GRand *random = g_rand_new_with_seed(71);
    int times[2][5][5] = {{{0}}};
    for (int i = 0; i < DRAWS; i++) {
        const Pose pose = pose_draw(random, (Motion){true, 2});
        g_assert_cmpint(abs(pose.down), <=, 2);
        g_assert_cmpint(abs(pose.right), <=, 2);
        times[pose.mirrored][pose.down + 2][pose.right + 2]++;
    }
    for (int p = 0; p < 50; p++)
        assert_frequency(times[p % 2][p / 2 % 5][p / 10], 1 / 50.);
    g_rand_free(random);
}

/* Far from the edge, the mean of a pixel is the mean of those that can come
   there: its neighbourhood, in the picture and in its mirror image. */
static void the_mean_picture_is_a_blur(void)
{
    enum { R = 9, C = 8 };
    GRand *random = g_rand_new_with_seed(72);
    uint8_t picture[R * C], to[R * C];
    double sum = 0, expected = 0;
    for (int i = 0; i < R * C; i++)
        picture[i] = (uint8_t)g_rand_int_range(random, 0, 256);
    for (int i = 0; i < DRAWS; i++) {
        picture_move(picture, R, C, pose_draw(random, (Motion){true, 1}), to);
        sum += to[4 * C + 2];
    }
    for (int r = 3; r <= 5; r++)
        for (int c = 1; c <= 3; c++)
            expected += picture[r * C + c] + picture[r * C + C - 1 - c];
    g_test_message("mean %.3f, expected %.3f", sum / DRAWS, expected / 18);
    g_assert_cmpfloat(fabs(sum / DRAWS - expected / 18), <,
                      5 * 128 / sqrt(DRAWS));
    g_rand_free(random);
}

static void what_is_off_is_not_drawn(void)
{
    GRand *random = g_rand_new_with_seed(73), *same = g_rand_copy(random);
    for (int i = 0; i < 100; i++) {
        const Pose still = pose_draw(random, (Motion){false, 0});
        g_assert_false(still.mirrored || still.down || still.right);
    }
    g_assert_cmpuint(g_rand_int(random), ==, g_rand_int(same));
    bool any = false;
    for (int i = 0; i < 100; i++) {
        const Pose flip = pose_draw(random, (Motion){true, 0});
        const Pose shift = pose_draw(random, (Motion){false, 1});
        g_assert_false(flip.down || flip.right || shift.mirrored);
        any = any || flip.mirrored;
    }
    g_assert_true(any);
    g_rand_free(random);
    g_rand_free(same);
}

static void only_what_is_asked_for_moves(void)
{
    g_assert_false(moves((Motion){false, 0}));
    g_assert_true(moves((Motion){true, 0}));
    g_assert_true(moves((Motion){false, 1}));
}

#define ADD(name, f) g_test_add_func("/picture/" name, f)

int main(int argc, char **argv)
{
    start_tests(argc, argv);
    ADD("a pose of zeros leaves a picture alone", nothing_moves);
    ADD("a shifted picture has background at its edge", pictures_shift);
    ADD("a picture is mirrored first and shifted then",
        pictures_are_mirrored_then_shifted);
    ADD("in every pose each pixel goes where it belongs",
        a_pixel_goes_where_the_pose_says);
    ADD("poses are uniform and independent", poses_are_uniform);
    ADD("the mean of many moved pictures is a blur of both mirror images",
        the_mean_picture_is_a_blur);
    ADD("what is off is not drawn, and draws no number",
        what_is_off_is_not_drawn);
    ADD("motion is a flip or a shift", only_what_is_asked_for_moves);
    return g_test_run();
}
