/* The peer of benches/gates.py: netlists of NANDs on blocks of words, with AVX intrinsics and each block size compiled in. */

#include <immintrin.h>
#include <stdint.h>

#ifdef __AVX512F__
typedef __m512i vector;
#define LOAD(p) _mm512_load_si512((const void *)(p))
#define STORE(p, v) _mm512_store_si512((void *)(p), v)
#define NAND(a, b) _mm512_ternarylogic_epi64(a, b, b, 0x3f)
#else
typedef __m256i vector;
#define LOAD(p) _mm256_load_si256((const __m256i *)(p))
#define STORE(p, v) _mm256_store_si256((__m256i *)(p), v)
#define NAND(a, b) _mm256_xor_si256(_mm256_and_si256(a, b), _mm256_set1_epi64x(-1))
#endif
#define LANE ((int)(sizeof(vector) / 8))

/* code int32[programs][gates][3]: place of the result, left, right; wanted int32[programs][outputs]. */
#define WRONG(WORDS)                                                                                                   \
    void wrong_##WORDS(const int32_t *code, const int32_t *wanted, const uint64_t *cases, const uint64_t *target,      \
                       int64_t programs, int64_t gates, int64_t inputs, int64_t outputs, int64_t words,                \
                       uint64_t *scratch, int64_t *found) {                                                            \
        for (int64_t p = 0; p < programs; p++) {                                                                       \
            int64_t bits = 0;                                                                                          \
            for (int64_t at = 0; at < words; at += WORDS) {                                                            \
                for (int64_t i = 0; i < inputs; i++)                                                                   \
                    for (int k = 0; k < WORDS; k += LANE)                                                              \
                        STORE(scratch + i * WORDS + k, LOAD(cases + i * words + at + k));                              \
                const int32_t *gate = code + p * gates * 3;                                                            \
                for (int64_t g = 0; g < gates; g++, gate += 3) {                                                       \
                    uint64_t *into = scratch + (int64_t)gate[0] * WORDS;                                               \
                    const uint64_t *left = scratch + (int64_t)gate[1] * WORDS;                                         \
                    const uint64_t *right = scratch + (int64_t)gate[2] * WORDS;                                        \
                    for (int k = 0; k < WORDS; k += LANE) STORE(into + k, NAND(LOAD(left + k), LOAD(right + k)));      \
                }                                                                                                      \
                for (int64_t o = 0; o < outputs; o++) {                                                                \
                    const uint64_t *value = scratch + (int64_t)wanted[p * outputs + o] * WORDS;                        \
                    for (int k = 0; k < WORDS; k++)                                                                    \
                        bits += __builtin_popcountll(value[k] ^ target[o * words + at + k]);                           \
                }                                                                                                      \
            }                                                                                                          \
            found[p] = bits;                                                                                           \
        }                                                                                                              \
    }

WRONG(16)
WRONG(32)
WRONG(64)
WRONG(128)
