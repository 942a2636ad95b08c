/* The names of an exported network for rtneural.cpp. */
#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
    float unused[1];
} rtneural_state;
void rtneural_init(rtneural_state *state);
void rtneural_step(rtneural_state *state, const float *input, float *output);
#ifdef __cplusplus
}
#endif
