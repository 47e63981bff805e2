// Sampled softmax of all nested widths in one pass over the candidates: no B x N values of any width are written to memory.
//   -DEXACT=1: products as three TF32 products, which is float32 accuracy; 0: one.
//   -DCOSINE=1: prefixes are scaled to unit length.
// A block of 4 warps scores 64 rows against tiles of 32 columns. gridDim.y parts share the columns; each part writes its own partial
// sums, which are added in a fixed order, so a run repeats to the bit.
constexpr int THREADS = 128, ROWS = 64, COLUMNS = 32, GROUPS = COLUMNS / 8, STRIDE = PADDED + 4, STEPS = PADDED / 8;
// Groups of columns whose probabilities a gradient keeps in registers beside its output.
constexpr int PART = PADDED > 128 ? 1 : COSINE ? 2 : GROUPS;
// Groups of columns that are scored at a time for the sums.
constexpr int SCORED = !EXACT ? GROUPS : PADDED > 128 ? 1 : COSINE ? 2 : GROUPS;
// Whether a gradient keeps what it needs of its rows for COSINE in registers. Wide rows leave too few: then inverse lengths and sums
// of cosines lie in shared memory, behind the tiles.
constexpr bool KEEPS = !COSINE || PADDED <= 128;
// Stands for a logit that is in no sum. Finite, so that differences are.
constexpr float NONE = -3.0e38f, MOST = 3.402823466e38f;
constexpr float LOG2E = 1.44269504088896340736f, LN2 = 0.693147180559945309417f;

// A run of vectors: users, own candidates, or a segment of the bank.
struct Block
{
    const float* vectors;  // [count x D]
    const long long* ids;  // [count] item rows; equal ids of a row and a column are a hit
    const float* logQ;     // [count] ln q, +inf: not a candidate; null for users
    const float* inverses; // [K x stride] inverse lengths of the prefixes, with COSINE
    int count;
    int stride;
};

struct Blocks
{
    Block at[3];
    int count;
};

constexpr int CONSTANTS = 2 + (COSINE ? 2 : 1) * K;
constexpr int TILE = COLUMNS * STRIDE + CONSTANTS * COLUMNS;

// A tile of columns in shared memory.
struct Tile
{
    float* vectors;
    int* ids;
    float* bias;     // -log2 q; NONE: not a candidate
    float* shifts;   // [K x COLUMNS], users as columns only
    float* inverses; // [K x COLUMNS], with COSINE

    __device__ __forceinline__ Tile(float* memory)
        : vectors(memory), ids((int*)(memory + COLUMNS * STRIDE)), bias(memory + COLUMNS * STRIDE + COLUMNS),
          shifts(bias + COLUMNS), inverses(shifts + K * COLUMNS)
    {
    }
};

struct Split
{
    u32 high, low;
};

__device__ __forceinline__ Split split(float x)
{
    u32 high = tf32(x);
    return { high, tf32(x - floatOf(high)) };
}

// sum += a (16 x 8) . b (8 x 8)
__device__ __forceinline__ void product(float (&sum)[4], const float (&a)[4], float b0, float b1)
{
#if EXACT
    u32 high[4], low[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        Split s = split(a[i]);
        high[i] = s.high;
        low[i] = s.low;
    }
    Split s0 = split(b0), s1 = split(b1);
    multiply(sum, low, s0.high, s1.high);
    multiply(sum, high, s0.low, s1.low);
    multiply(sum, high, s0.high, s1.high);
#else
    u32 bits[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        bits[i] = truncated(a[i]);
    }
    multiply(sum, bits, truncated(b0), truncated(b1));
#endif
}

__device__ __forceinline__ int tilesOf(const Blocks& blocks)
{
    int tiles = 0;
#pragma unroll
    for (int b = 0; b < 3; b++)
    {
        tiles += b < blocks.count ? (blocks.at[b].count + COLUMNS - 1) / COLUMNS : 0;
    }
    return tiles;
}

// Copies rows first … first + rows - 1 of a block; zeros beyond its end.
__device__ __forceinline__ void copyRows(const Block& block, int first, int rows, float* to)
{
    for (int i = threadIdx.x; i < rows * (D / 4); i += blockDim.x)
    {
        int row = i / (D / 4), column = i % (D / 4) * 4;
        bool present = first + row < block.count;
        copyAsync(to + row * STRIDE + place(column), block.vectors + (u64)(present ? first + row : 0) * D + column, present);
    }
}

// Zeros between the increments, once: copies never write there.
__device__ __forceinline__ void clearGaps(float* memory, int rows)
{
    for (int i = threadIdx.x; !IS_DENSE && i < rows; i += blockDim.x)
    {
#pragma unroll
        for (int k = 0; k < K; k++)
        {
#pragma unroll
            for (int c = padding.first[k] + padding.begin[k + 1] - padding.begin[k]; c < padding.first[k + 1]; c++)
            {
                memory[i * STRIDE + c] = 0;
            }
        }
    }
}

__device__ __forceinline__ float biasOf(const Block& block, int i, int subtracts)
{
    float logQ = block.logQ ? block.logQ[i] : 0.f;
    return logQ > MOST ? NONE : subtracts ? fmaxf(-logQ * LOG2E, NONE) : 0.f;
}

// Starts copying a tile; ends a group of copies even if there is no such tile, so that groups count tiles.
template <bool USERS> __device__ __forceinline__ void fetch(const Blocks& blocks, int tile, Tile to, int subtracts, const float* shifts)
{
    // Constant indices: a parameter that is indexed by a variable is copied to local memory.
    Block block = blocks.at[0];
#pragma unroll
    for (int b = 1; b < 3; b++)
    {
        int tiles = (block.count + COLUMNS - 1) / COLUMNS;
        bool further = b < blocks.count && tile >= tiles;
        tile -= further ? tiles : 0;
        block = further ? blocks.at[b] : block;
    }

    int first = tile * COLUMNS;
    if (first < block.count)
    {
        copyRows(block, first, COLUMNS, to.vectors);
        if (threadIdx.x < COLUMNS)
        {
            int i = first + (int)threadIdx.x;
            bool present = i < block.count;
            to.ids[threadIdx.x] = present ? (int)block.ids[i] : -1;
            to.bias[threadIdx.x] = present ? biasOf(block, i, subtracts) : NONE;
#pragma unroll
            for (int k = 0; k < K; k++)
            {
                if (USERS)
                {
                    to.shifts[k * COLUMNS + threadIdx.x] = present ? shifts[(u64)k * block.stride + i] : NONE;
                }
#if COSINE
                to.inverses[k * COLUMNS + threadIdx.x] = present ? block.inverses[(u64)k * block.stride + i] : 0.f;
#endif
            }
        }
    }
    commitCopies();
}

// Adds increment k of the scores of 16 rows and N groups of 8 columns.
template <int k, int N> __device__ __forceinline__ void advance(float (&sums)[N][4], const float* rows, const float* columns, int g, int t)
{
    eachGroup<k>([&](auto s) {
        const float* a = rows + s.value * 8 + t;
        float fragment[4] = { a[0], a[8 * STRIDE], a[4], a[8 * STRIDE + 4] };
#pragma unroll
        for (int n = 0; n < N; n++)
        {
            const float* b = columns + (n * 8 + g) * STRIDE + s.value * 8 + t;
            product(sums[n], fragment, b[0], b[4]);
        }
    });
}

template <int N> __device__ __forceinline__ void clear(float (&sums)[N][4])
{
#pragma unroll
    for (int n = 0; n < N; n++)
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            sums[n][i] = 0;
        }
    }
}

// The inverse lengths of the prefixes of vectors [count x D], as [K x stride]. A warp a vector.
extern "C" __global__ void __launch_bounds__(256) prefix_inverses(const float* vectors, int count, int stride, float* inverses)
{
    int lane = threadIdx.x & 31, row = blockIdx.x * (blockDim.x / 32) + (threadIdx.x >> 5);
    if (row >= count)
    {
        return;
    }

    float square = 0;
#pragma unroll
    for (int k = 0; k < K; k++)
    {
        float part = 0;
        for (int c = padding.begin[k] + lane; c < padding.begin[k + 1]; c += 32)
        {
            float x = vectors[(u64)row * D + c];
            part = fmaf(x, x, part);
        }
        square += warpSum(part);
        if (lane == 0)
        {
            inverses[(u64)k * stride + row] = 1 / sqrtf(square + 1e-12f);
        }
    }
}

// For every row, width and part of the columns: the greatest logit in base 2, the sum of 2^(logit - greatest) over the row's
// negatives, and their number. [parts x K x rows], counts [parts x rows].
extern "C" __global__ void __launch_bounds__(128, COSINE || PADDED > 128 ? 2 : 3)
softmax_sums(Block rows, Blocks blocks, float scale, int subtracts, float* tops, float* sums, int* counts)
{
    SHARED_MEMORY
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2, t = lane & 3, row = warp * 16 + g;
    int tiles = tilesOf(blocks), base = blockIdx.x * ROWS, at = 0;
    clearGaps(shared, ROWS);
    clearGaps(shared + ROWS * STRIDE, COLUMNS);
    clearGaps(shared + ROWS * STRIDE + TILE, COLUMNS);
    copyRows(rows, base, ROWS, shared);
    fetch<false>(blocks, blockIdx.y, Tile(shared + ROWS * STRIDE), subtracts, nullptr);

    int id[2], count[2] = { 0, 0 };
    float top[K][2], sum[K][2], inverse[K][2];
#pragma unroll
    for (int h = 0; h < 2; h++)
    {
        int r = base + row + 8 * h;
        id[h] = r < rows.count ? (int)rows.ids[r] : -2;
#pragma unroll
        for (int k = 0; k < K; k++)
        {
            top[k][h] = NONE;
            sum[k][h] = 0;
#if COSINE
            inverse[k][h] = r < rows.count ? rows.inverses[(u64)k * rows.stride + r] : 0.f;
#else
            inverse[k][h] = 1;
#endif
        }
    }

    for (int tile = blockIdx.y; tile < tiles; tile += gridDim.y, at ^= 1)
    {
        fetch<false>(blocks, tile + gridDim.y, Tile(shared + ROWS * STRIDE + (at ^ 1) * TILE), subtracts, nullptr);
        awaitCopies<1>();
        __syncthreads();
        Tile columns(shared + ROWS * STRIDE + at * TILE);
#pragma unroll 1
        for (int part = 0; part < GROUPS; part += SCORED)
        {
            const float* vectors = columns.vectors + part * 8 * STRIDE;
            float scores[SCORED][4];
            clear(scores);
            each<0, K>([&](auto index) {
                constexpr int k = decltype(index)::value;
                advance<k>(scores, shared + row * STRIDE, vectors, g, t);
#pragma unroll
                for (int h = 0; h < 2; h++)
                {
                    float logits[SCORED][2], greatest = top[k][h];
#pragma unroll
                    for (int n = 0; n < SCORED; n++)
                    {
#pragma unroll
                        for (int j = 0; j < 2; j++)
                        {
                            int c = (part + n) * 8 + 2 * t + j;
                            float score = scores[n][2 * h + j];
#if COSINE
                            score *= inverse[k][h] * columns.inverses[k * COLUMNS + c];
#endif
                            bool counts = columns.ids[c] != id[h] && columns.bias[c] > NONE;
                            float logit = fmaf(score, scale, columns.bias[c]);
                            // Comparisons, not fmaxf: a NaN must reach the sum.
                            logits[n][j] = !counts || logit < NONE ? NONE : logit;
                            greatest = fmaxf(greatest, logits[n][j]);
                            count[h] += k == 0 && counts ? 1 : 0;
                        }
                    }

                    float total = sum[k][h] * exp2Fast(top[k][h] - greatest);
#pragma unroll
                    for (int n = 0; n < SCORED; n++)
                    {
#pragma unroll
                        for (int j = 0; j < 2; j++)
                        {
                            total += logits[n][j] == NONE ? 0.f : exp2Fast(logits[n][j] - greatest);
                        }
                    }
                    top[k][h] = greatest;
                    sum[k][h] = total;
                }
            });
        }
        __syncthreads();
    }
    awaitCopies<0>();

#pragma unroll
    for (int h = 0; h < 2; h++)
    {
        int r = base + row + 8 * h, number = count[h];
#pragma unroll
        for (int o = 1; o < 4; o *= 2)
        {
            number += __shfl_xor_sync(0xffffffffu, number, o);
        }
        if (t == 0 && r < rows.count)
        {
            counts[(u64)blockIdx.y * rows.count + r] = number;
        }
#pragma unroll
        for (int k = 0; k < K; k++)
        {
            float greatest = top[k][h], total = sum[k][h];
#pragma unroll
            for (int o = 1; o < 4; o *= 2)
            {
                float otherTop = __shfl_xor_sync(0xffffffffu, greatest, o), otherSum = __shfl_xor_sync(0xffffffffu, total, o);
                float both = fmaxf(greatest, otherTop);
                total = total * exp2Fast(greatest - both) + otherSum * exp2Fast(otherTop - both);
                greatest = both;
            }
            if (t == 0 && r < rows.count)
            {
                u64 place = ((u64)blockIdx.y * K + k) * rows.count + r;
                tops[place] = greatest;
                sums[place] = total;
            }
        }
    }
}

// What follows from a row's sums, a warp a row. Correction 0: none, 1: classic, 2: corrected.
//   losses [K x rows] double: loss times share; coefficients [K x rows]: of (mean of the negatives - positive), with 1/temperature;
//   shifts [K x rows]: 2^(logit + shift) is coefficient times probability; cosines [K x rows]: the positive's, with COSINE.
extern "C" __global__ void __launch_bounds__(256)
softmax_finish(Block rows, Block positives, const float* tops, const float* sums, const int* counts, int parts, const double* shares,
               const double* widthShares, float inverseTemperature, int correction, double leastMiss, double* losses,
               float* coefficients, float* shifts, float* cosines)
{
    int lane = threadIdx.x & 31, r = blockIdx.x * (blockDim.x / 32) + (threadIdx.x >> 5);
    if (r >= rows.count)
    {
        return;
    }

    float dot = 0, offset = 0, negatives = 0;
    if (correction == 1)
    {
        offset = positives.logQ[r];
    }
    if (correction == 2)
    {
        offset = (float)log(fmax(-expm1((double)positives.logQ[r]), leastMiss));
        int n = 0;
        for (int p = 0; p < parts; p++)
        {
            n += counts[(u64)p * rows.count + r];
        }
        negatives = logf((float)(n > 1 ? n : 1));
    }

#pragma unroll
    for (int k = 0; k < K; k++)
    {
        float part = 0;
        for (int c = padding.begin[k] + lane; c < padding.begin[k + 1]; c += 32)
        {
            part = fmaf(rows.vectors[(u64)r * D + c], positives.vectors[(u64)r * D + c], part);
        }
        dot += warpSum(part);

        float top = NONE, sum = 0;
        for (int p = 0; p < parts; p++)
        {
            top = fmaxf(top, tops[((u64)p * K + k) * rows.count + r]);
        }
        for (int p = 0; p < parts; p++)
        {
            u64 place = ((u64)p * K + k) * rows.count + r;
            sum += sums[place] * exp2f(tops[place] - top);
        }

        float score = dot;
#if COSINE
        score *= rows.inverses[(u64)k * rows.stride + r] * positives.inverses[(u64)k * positives.stride + r];
#endif
        // Without negatives the log-sum is NONE: the gap is far below 0, so loss and coefficient are 0.
        float logSum = top > NONE || sum != 0 ? top + log2f(sum) : NONE;
        float gap = logSum * LN2 - (score * inverseTemperature - offset);
        float mistake = 1 / (1 + expf((correction == 2 ? negatives : 0.f) - gap));
        float loss = correction == 2 ? gap * mistake : fmaxf(gap, 0.f) + log1pf(expf(-fabsf(gap)));
        if (lane == 0)
        {
            u64 place = (u64)k * rows.count + r;
            float coefficient = (float)(mistake * shares[r] * widthShares[k]) * inverseTemperature;
            losses[place] = logSum == NONE ? 0.0 : loss * shares[r];
            coefficients[place] = coefficient;
            shifts[place] = coefficient == 0 ? NONE : log2f(coefficient) - logSum;
#if COSINE
            cosines[place] = score;
#endif
        }
    }
}

// Sums over the columns of 2^(logit + shift) times the column's vector, for all widths at once: [parts x rows x D]. With COSINE each
// width is scaled by both inverse lengths, and along [parts x K x rows] gets the sums of 2^(logit + shift) times the cosine.
// USERS: the columns are users, who have the shifts; else the rows are.
template <bool USERS>
__device__ __forceinline__ void gradient(const Block& rows, const Blocks& blocks, float scale, int subtracts, const float* shifts,
                                         float* out, float* along)
{
    SHARED_MEMORY
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2, t = lane & 3, row = warp * 16 + g;
    int tiles = tilesOf(blocks), base = blockIdx.x * ROWS, at = 0;
    clearGaps(shared, ROWS);
    clearGaps(shared + ROWS * STRIDE, COLUMNS);
    clearGaps(shared + ROWS * STRIDE + TILE, COLUMNS);
    copyRows(rows, base, ROWS, shared);
    fetch<USERS>(blocks, blockIdx.y, Tile(shared + ROWS * STRIDE), subtracts, shifts);

    int id[2];
    float shift[K][2], inverse[K][2], cosines[K][2], bias[2];
    // Volatile: what the compiler reads ahead takes registers.
    volatile float *inverses = shared + ROWS * STRIDE + 2 * TILE, *sumsOfCosines = inverses + K * ROWS + threadIdx.x;
#pragma unroll
    for (int h = 0; h < 2; h++)
    {
        int r = base + row + 8 * h;
        bool present = r < rows.count;
        id[h] = present ? (int)rows.ids[r] : -2;
        bias[h] = USERS ? (present ? biasOf(rows, r, subtracts) : NONE) : 0.f;
#pragma unroll
        for (int k = 0; k < K; k++)
        {
            shift[k][h] = USERS ? bias[h] : present ? shifts[(u64)k * rows.stride + r] : NONE;
            cosines[k][h] = 0;
#if COSINE
            if (!KEEPS)
            {
                sumsOfCosines[(2 * k + h) * THREADS] = 0;
            }
            inverse[k][h] = present ? rows.inverses[(u64)k * rows.stride + r] : 0.f;
            if (!KEEPS && t == 0)
            {
                inverses[k * ROWS + row + 8 * h] = inverse[k][h];
            }
#else
            inverse[k][h] = 1;
#endif
        }
    }

    float sums[STEPS][4];
    clear(sums);
    for (int tile = blockIdx.y; tile < tiles; tile += gridDim.y, at ^= 1)
    {
        fetch<USERS>(blocks, tile + gridDim.y, Tile(shared + ROWS * STRIDE + (at ^ 1) * TILE), subtracts, shifts);
        awaitCopies<1>();
        __syncthreads();
        Tile columns(shared + ROWS * STRIDE + at * TILE);
#pragma unroll 1
        for (int part = 0; part < GROUPS; part += PART)
        {
            const float* vectors = columns.vectors + part * 8 * STRIDE;
            float scores[PART][4], weights[K][PART][4];
            clear(scores);
            each<0, K>([&](auto index) {
                constexpr int k = decltype(index)::value;
                advance<k>(scores, shared + row * STRIDE, vectors, g, t);
                float added[2] = { 0, 0 };
#pragma unroll
                for (int n = 0; n < PART; n++)
                {
#pragma unroll
                    for (int i = 0; i < 4; i++)
                    {
                        int h = i >> 1, c = (part + n) * 8 + 2 * t + (i & 1);
                        float score = scores[n][i];
#if COSINE
                        float own = KEEPS ? inverse[k][h] : inverses[k * ROWS + row + 8 * h];
                        float factor = own * columns.inverses[k * COLUMNS + c];
                        score *= factor;
#endif
                        float offset = USERS ? columns.shifts[k * COLUMNS + c] : columns.bias[c];
                        float weight = exp2Fast(fmaf(score, scale, offset + shift[k][h]));
                        weight = columns.ids[c] == id[h] || fminf(offset, shift[k][h]) <= NONE ? 0.f : weight;
#if COSINE
                        added[h] = fmaf(weight, score, added[h]);
                        weight *= factor;
#endif
                        weights[k][n][i] = weight;
                    }
                }
#pragma unroll
                for (int h = 0; COSINE && h < 2; h++)
                {
                    if (KEEPS)
                    {
                        cosines[k][h] += added[h];
                    }
                    else
                    {
                        sumsOfCosines[(2 * k + h) * THREADS] = sumsOfCosines[(2 * k + h) * THREADS] + added[h];
                    }
                }
            });

            // Widest first: an increment counts in every width that contains it. Column 2t of a group is index t of the product's
            // inner dimension, column 2t + 1 is index t + 4: the order in which a lane holds them.
            each<0, K>([&](auto index) {
                constexpr int k = K - 1 - decltype(index)::value;
                if constexpr (k < K - 1)
                {
#pragma unroll
                    for (int n = 0; n < PART; n++)
                    {
#pragma unroll
                        for (int i = 0; i < 4; i++)
                        {
                            weights[k][n][i] += weights[k + 1][n][i];
                        }
                    }
                }
#pragma unroll
                for (int n = 0; n < PART; n++)
                {
                    float fragment[4] = { weights[k][n][0], weights[k][n][2], weights[k][n][1], weights[k][n][3] };
                    const float* b = vectors + (n * 8 + 2 * t) * STRIDE + g;
                    eachGroup<k>([&](auto s) { product(sums[s.value], fragment, b[s.value * 8], b[STRIDE + s.value * 8]); });
                }
            });
        }
        __syncthreads();
    }
    awaitCopies<0>();

#pragma unroll
    for (int h = 0; h < 2; h++)
    {
        int r = base + row + 8 * h;
        if (r < rows.count)
        {
            float* to = out + ((u64)blockIdx.y * rows.count + r) * D;
            each<0, K>([&](auto index) {
                constexpr int k = decltype(index)::value;
                eachGroup<k>([&](auto s) {
                    int c = padding.begin[k] + s.value * 8 - padding.first[k] + 2 * t;
                    if (c < padding.begin[k + 1])
                    {
                        *(float2*)(to + c) = make_float2(sums[s.value][2 * h], sums[s.value][2 * h + 1]);
                    }
                });
            });
        }
#if COSINE
#pragma unroll
        for (int k = 0; k < K; k++)
        {
            float cosine = KEEPS ? cosines[k][h] : sumsOfCosines[(2 * k + h) * THREADS];
            cosine += __shfl_xor_sync(0xffffffffu, cosine, 1);
            cosine += __shfl_xor_sync(0xffffffffu, cosine, 2);
            if (t == 0 && r < rows.count)
            {
                along[((u64)blockIdx.y * K + k) * rows.count + r] = cosine;
            }
        }
#endif
    }
}

extern "C" __global__ void __launch_bounds__(128, 2)
softmax_users(Block users, Blocks candidates, float scale, int subtracts, const float* shifts, float* out, float* along)
{
    gradient<false>(users, candidates, scale, subtracts, shifts, out, along);
}

extern "C" __global__ void __launch_bounds__(128, 2)
softmax_candidates(Block candidates, Blocks users, float scale, int subtracts, const float* shifts, float* out, float* along)
{
    gradient<true>(candidates, users, scale, subtracts, shifts, out, along);
}

// Adds the parts and subtracts the pull of each row's positive: gradient [rows x D], a warp a row. Row r < pulled pairs with row r of
// others; rows from scored on, numbered from 0, are those of the parts.
extern "C" __global__ void __launch_bounds__(256)
softmax_collect(Block rows, Block others, int pulled, int scored, int parts, const float* sums, const float* along,
                const float* coefficients, const float* cosines, float* gradient)
{
    int lane = threadIdx.x & 31, r = blockIdx.x * (blockDim.x / 32) + (threadIdx.x >> 5), count = rows.count - scored;
    if (r >= rows.count)
    {
        return;
    }

    float pull = 0, own = 0;
#pragma unroll
    for (int k = K - 1; k >= 0; k--)
    {
        float coefficient = r < pulled ? coefficients[(u64)k * pulled + r] : 0.f;
#if COSINE
        float inverse = rows.inverses[(u64)k * rows.stride + r], sum = 0;
        for (int p = 0; p < parts && r >= scored; p++)
        {
            sum += along[((u64)p * K + k) * count + r - scored];
        }
        if (r < pulled)
        {
            pull = fmaf(coefficient * inverse, others.inverses[(u64)k * others.stride + r], pull);
            sum = fmaf(-coefficient, cosines[(u64)k * pulled + r], sum);
        }
        own = fmaf(sum * inverse, inverse, own);
#else
        pull += coefficient;
#endif
        for (int c = padding.begin[k] + lane; c < padding.begin[k + 1]; c += 32)
        {
            float value = 0;
            for (int p = 0; p < parts && r >= scored; p++)
            {
                value += sums[((u64)p * count + r - scored) * D + c];
            }
            value = r < pulled ? fmaf(-pull, others.vectors[(u64)r * D + c], value) : value;
#if COSINE
            value = fmaf(-own, rows.vectors[(u64)r * D + c], value);
#endif
            gradient[(u64)r * D + c] = value;
        }
    }
}
