// What the fmrlrec tower does between its matrix products, forward and backward: joins (dropout, residual, norm), gates, recurrences.
// Sums over rows go to partial [gridDim.x x n x D], which is added in a fixed order.
// Adds the warps' sums of a block, as section of partial [gridDim.x x sections x D].
template <int SECTIONS> __device__ __forceinline__ void reduce(float4 (&sums)[SECTIONS][PER_LANE], float* shared, float* partial)
{
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
#pragma unroll
    for (int s = 0; s < SECTIONS; s++)
    {
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            if (lane + 32 * j < GROUPS)
            {
                store(shared + (warp * SECTIONS + s) * D, lane + 32 * j, sums[s][j]);
            }
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < SECTIONS * D; i += blockDim.x)
    {
        float total = 0;
        for (int w = 0; w < WARPS; w++)
        {
            total += shared[w * SECTIONS * D + i];
        }
        partial[(u64)blockIdx.x * SECTIONS * D + i] = total;
    }
}

// y = residual + dropout(branch + branchBias); out = norm(y) * gain + bias. Residual, branch, branchBias and y may be null; out is
// null without a norm.
extern "C" __global__ void __launch_bounds__(256)
join_forward(const Kept* residual, const Kept* branch, const float* branchBias, Dropout dropout, const float* gain, const float* bias,
             int rows, Kept* y, Kept* out)
{
    int lane = threadIdx.x & 31;
    for (int r = blockIdx.x * WARPS + (threadIdx.x >> 5); r < rows; r += gridDim.x * WARPS)
    {
        u64 at = (u64)r * D;
        float4 row[PER_LANE];
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            int g = lane + 32 * j;
            row[j] = zero();
            if (g < GROUPS)
            {
                row[j] = residual ? load(residual + at, g) : zero();
                row[j] = branch ? asKept(row[j] + (load(branch + at, g) + load(branchBias, g)) * dropout.factors(r, g)) : row[j];
                if (y)
                {
                    store(y + at, g, row[j]);
                }
            }
        }
        if (out)
        {
            writeNorm(row, lane, gain, bias, out + at);
        }
    }
}

// What a tower begins with: y = dropout(items), out = norm(y) * gain + bias, the items read where they are. out is null without a norm.
extern "C" __global__ void __launch_bounds__(256)
start_forward(Source source, Dropout dropout, const float* gain, const float* bias, int rows, Kept* y, Kept* out)
{
    int lane = threadIdx.x & 31;
    for (int r = blockIdx.x * WARPS + (threadIdx.x >> 5); r < rows; r += gridDim.x * WARPS)
    {
        float4 row[PER_LANE];
        source.read(r, lane, row);
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            int g = lane + 32 * j;
            if (g < GROUPS)
            {
                row[j] = asKept(row[j] * dropout.factors(r, g));
                store(y + (u64)r * D, g, row[j]);
            }
        }
        if (out)
        {
            writeNorm(row, lane, gain, bias, out + (u64)r * D);
        }
    }
}

// gY = through + the norm's gradient of gOut; gBranch = dropout's gradient of that. Through may be null, gOut without a norm, and
// gBranch without a branch. Sections of partial: gain, bias, branchBias.
extern "C" __global__ void __launch_bounds__(256)
join_backward(const Kept* y, const Kept* gOut, const Kept* through, Dropout dropout, const float* gain, int rows, Kept* gY,
              Kept* gBranch, float* partial)
{
    SHARED_MEMORY
    int lane = threadIdx.x & 31;
    float4 sums[3][PER_LANE];
#pragma unroll
    for (int j = 0; j < PER_LANE; j++)
    {
        sums[0][j] = sums[1][j] = sums[2][j] = zero();
    }

    for (int r = blockIdx.x * WARPS + (threadIdx.x >> 5); r < rows; r += gridDim.x * WARPS)
    {
        u64 at = (u64)r * D;
        float4 total[PER_LANE];
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            int g = lane + 32 * j;
            total[j] = through && g < GROUPS ? load(through + at, g) : zero();
        }
        if (gOut)
        {
            float4 normal[PER_LANE], gradient[PER_LANE];
            float mean[K], inverse[K], sum1[K], sum2[K], parts1[PER_LANE], parts2[PER_LANE];
#pragma unroll
            for (int j = 0; j < PER_LANE; j++)
            {
                int g = lane + 32 * j;
                normal[j] = g < GROUPS ? load(y + at, g) : zero();
            }
            moments(normal, lane, mean, inverse);
#pragma unroll
            for (int j = 0; j < PER_LANE; j++)
            {
                int g = lane + 32 * j;
                float4 o = g < GROUPS ? load(gOut + at, g) : zero();
                normal[j] = (normal[j] - of(mean, g)) * of(inverse, g);
                sums[0][j] = sums[0][j] + o * normal[j];
                sums[1][j] = sums[1][j] + o;
                gradient[j] = g < GROUPS ? o * load(gain, g) : zero();
                parts1[j] = sum(gradient[j]);
                parts2[j] = sum(gradient[j] * normal[j]);
            }
            incrementSums(parts1, lane, sum1);
            incrementSums(parts2, lane, sum2);
#pragma unroll
            for (int k = 0; k < K; k++)
            {
                int length = padding.begin[k + 1] - padding.begin[k];
                sum1[k] /= length;
                sum2[k] /= length;
            }
#pragma unroll
            for (int j = 0; j < PER_LANE; j++)
            {
                int g = lane + 32 * j;
                total[j] = total[j] + ((gradient[j] - of(sum1, g)) + normal[j] * -of(sum2, g)) * of(inverse, g);
            }
        }
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            int g = lane + 32 * j;
            if (g < GROUPS)
            {
                store(gY + at, g, total[j]);
                if (gBranch)
                {
                    float4 branch = total[j] * dropout.factors(r, g);
                    store(gBranch + at, g, branch);
                    sums[2][j] = sums[2][j] + branch;
                }
            }
        }
    }
    reduce(sums, shared, partial);
}

__device__ __forceinline__ float sigmoid(float x) { return 1 / (1 + expf(-x)); }

__device__ __forceinline__ float4 sigmoid(float4 x) { return make_float4(sigmoid(x.x), sigmoid(x.y), sigmoid(x.z), sigmoid(x.w)); }

// h = silu(gate + gateBias) * dropout(up + upBias); pair [rows x 2D]: gate, up.
extern "C" __global__ void __launch_bounds__(256)
gate_forward(const Kept* pair, const float* gateBias, const float* upBias, Dropout dropout, int rows, Kept* h)
{
    int lane = threadIdx.x & 31;
    for (int r = blockIdx.x * WARPS + (threadIdx.x >> 5); r < rows; r += gridDim.x * WARPS)
    {
        for (int g = lane; g < GROUPS; g += 32)
        {
            float4 gate = load(pair + (u64)r * 2 * D, g) + load(gateBias, g);
            float4 up = (load(pair + (u64)r * 2 * D + D, g) + load(upBias, g)) * dropout.factors(r, g);
            store(h + (u64)r * D, g, gate * sigmoid(gate) * up);
        }
    }
}

// The gradient by pair, in its place. Sections of partial: gateBias, upBias.
extern "C" __global__ void __launch_bounds__(256)
gate_backward(Kept* pair, const float* gateBias, const float* upBias, Dropout dropout, const Kept* gH, int rows, float* partial)
{
    SHARED_MEMORY
    int lane = threadIdx.x & 31;
    float4 sums[2][PER_LANE];
#pragma unroll
    for (int j = 0; j < PER_LANE; j++)
    {
        sums[0][j] = sums[1][j] = zero();
    }

    for (int r = blockIdx.x * WARPS + (threadIdx.x >> 5); r < rows; r += gridDim.x * WARPS)
    {
        Kept* row = pair + (u64)r * 2 * D;
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            int g = lane + 32 * j;
            if (g < GROUPS)
            {
                float4 gate = load(row, g) + load(gateBias, g), factors = dropout.factors(r, g);
                float4 up = (load(row + D, g) + load(upBias, g)) * factors, gradient = load(gH + (u64)r * D, g);
                float4 s = sigmoid(gate);
                // silu' = s (1 + gate (1 - s))
                float4 slope = s * ((gate * ((s - 1.f) * -1.f)) - -1.f);
                float4 gGate = gradient * up * slope, gUp = gradient * (gate * s) * factors;
                store(row, g, gGate);
                store(row + D, g, gUp);
                sums[0][j] = sums[0][j] + gGate;
                sums[1][j] = sums[1][j] + gUp;
            }
        }
    }
    reduce(sums, shared, partial);
}

// Sum over the parts of value c of partial [parts x stride], in the first warp: the warps of a block share the parts.
__device__ __forceinline__ float sumOfParts(const float* partial, int parts, int stride, int c, float* shared)
{
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    float total = 0;
#pragma unroll 8
    for (int p = warp; p < parts; p += WARPS)
    {
        total += partial[(u64)p * stride + c];
    }
    __syncthreads();
    shared[warp * 32 + lane] = total;
    __syncthreads();
    for (int w = 1; w < WARPS && warp == 0; w++)
    {
        total += shared[w * 32 + lane];
    }
    return total;
}

// Adds the parts of a partial sum to the gradients of its sections, of which some may be null. blockIdx.x: 32 columns, y: the section.
extern "C" __global__ void __launch_bounds__(256)
add_parts(const float* partial, int parts, int sections, float* first, float* second, float* third)
{
    SHARED_MEMORY
    float* target = blockIdx.y == 0 ? first : blockIdx.y == 1 ? second : third;
    int c = blockIdx.x * 32 + (threadIdx.x & 31);
    if (!target)
    {
        return;
    }

    float total = sumOfParts(partial + blockIdx.y * D, parts, sections * D, c < D ? c : D - 1, shared);
    if (threadIdx.x < 32 && c < D)
    {
        target[c] += total;
    }
}

// Columns of a channel's real part in the order of the parameters: for each increment the real parts, then the imaginary ones, which
// are its length further on.
struct Channel
{
    int real, imaginary;

    __device__ __forceinline__ Channel(int c)
    {
        int begin = 0, length = width[0];
#pragma unroll
        for (int k = 1; k < K; k++)
        {
            begin = c >= padding.begin[k] ? padding.begin[k] : begin;
            length = c >= padding.begin[k] ? padding.begin[k + 1] - padding.begin[k] : length;
        }
        real = begin + c;
        imaginary = real + length;
    }
};

struct Decay
{
    float real, imaginary, gamma;

    __device__ __forceinline__ Decay(const float* nu, const float* theta, const float* gammaLog, int c)
    {
        double radius = exp(-exp((double)nu[c])), angle = exp((double)theta[c]);
        real = (float)(radius * cos(angle));
        imaginary = (float)(radius * sin(angle));
        gamma = (float)exp((double)gammaLog[c]);
    }
};

// s_t = lambda s_{t-1} + gamma (b_t + bias), in place of b [sequences * steps x 2D]. A thread a channel of a sequence.
extern "C" __global__ void __launch_bounds__(256)
scan_forward(Kept* b, const float* bias, const float* nu, const float* theta, const float* gammaLog, int sequences, int steps)
{
    for (int c = threadIdx.x; c < D; c += blockDim.x)
    {
        Channel at(c);
        Decay decay(nu, theta, gammaLog, c);
        float biasReal = bias[at.real], biasImaginary = bias[at.imaginary];
        for (int s = blockIdx.x; s < sequences; s += gridDim.x)
        {
            Kept* row = b + (u64)s * steps * 2 * D;
            float real = 0, imaginary = 0;
#pragma unroll 8
            for (int t = 0; t < steps; t++, row += 2 * D)
            {
                float next = fmaf(decay.real, real, fmaf(-decay.imaginary, imaginary, decay.gamma * (value(row[at.real]) + biasReal)));
                imaginary = fmaf(decay.real, imaginary,
                                 fmaf(decay.imaginary, real, decay.gamma * (value(row[at.imaginary]) + biasImaginary)));
                real = next;
                row[at.real] = kept(real);
                row[at.imaginary] = kept(imaginary);
            }
        }
    }
}

// The gradient by b, in place of that by the states. Sections of partial: lambda's real part, imaginary part, gamma_log, and the
// bias's real and imaginary parts.
extern "C" __global__ void __launch_bounds__(256)
scan_backward(Kept* gradients, const Kept* states, const float* nu, const float* theta, const float* gammaLog, int sequences, int steps,
              float* partial)
{
    for (int c = threadIdx.x; c < D; c += blockDim.x)
    {
        Channel at(c);
        Decay decay(nu, theta, gammaLog, c);
        float gReal = 0, gImaginary = 0, gGamma = 0, gBiasReal = 0, gBiasImaginary = 0;
        for (int s = blockIdx.x; s < sequences; s += gridDim.x)
        {
            u64 last = ((u64)s * steps + steps - 1) * 2 * D;
            Kept* row = gradients + last;
            const Kept* state = states + last;
            float real = 0, imaginary = 0, stateReal = value(state[at.real]), stateImaginary = value(state[at.imaginary]);
#pragma unroll 4
            for (int t = steps - 1; t >= 0; t--, row -= 2 * D, state -= 2 * D)
            {
                float beforeReal = t ? value(state[at.real - 2 * D]) : 0.f, beforeImaginary = t ? value(state[at.imaginary - 2 * D]) : 0.f;
                // g_t = x_t + conj(lambda) g_{t+1}
                float next = fmaf(decay.real, real, fmaf(decay.imaginary, imaginary, value(row[at.real])));
                imaginary = fmaf(decay.real, imaginary, fmaf(-decay.imaginary, real, value(row[at.imaginary])));
                real = next;
                gReal = fmaf(real, beforeReal, fmaf(imaginary, beforeImaginary, gReal));
                gImaginary = fmaf(imaginary, beforeReal, fmaf(-real, beforeImaginary, gImaginary));
                // gamma (b + bias) is what the state has beyond lambda s_{t-1}.
                float drivenReal = stateReal - fmaf(decay.real, beforeReal, -decay.imaginary * beforeImaginary);
                float drivenImaginary = stateImaginary - fmaf(decay.real, beforeImaginary, decay.imaginary * beforeReal);
                gGamma = fmaf(real, drivenReal, fmaf(imaginary, drivenImaginary, gGamma));
                float byReal = decay.gamma * real, byImaginary = decay.gamma * imaginary;
                gBiasReal += byReal;
                gBiasImaginary += byImaginary;
                row[at.real] = kept(byReal);
                row[at.imaginary] = kept(byImaginary);
                stateReal = beforeReal;
                stateImaginary = beforeImaginary;
            }
        }

        float* to = partial + (u64)blockIdx.x * 5 * D + c;
        to[0] = gReal;
        to[D] = gImaginary;
        to[2 * D] = gGamma;
        to[3 * D] = gBiasReal;
        to[4 * D] = gBiasImaginary;
    }
}

// Adds the parts to the gradients of nu_log, theta_log, gamma_log and the bias.
extern "C" __global__ void __launch_bounds__(256)
scan_finish(const float* partial, int parts, const float* nu, const float* theta, const float* gammaLog, float* gNu, float* gTheta,
            float* gGamma, float* gBias)
{
    SHARED_MEMORY
    int c = blockIdx.x * 32 + (threadIdx.x & 31), known = c < D ? c : D - 1;
    float sums[5];
#pragma unroll
    for (int i = 0; i < 5; i++)
    {
        sums[i] = sumOfParts(partial + i * D, parts, 5 * D, known, shared);
    }
    if (threadIdx.x >= 32 || c >= D)
    {
        return;
    }

    Channel at(c);
    Decay decay(nu, theta, gammaLog, c);
    // lambda = exp(-exp(nu) + i exp(theta))
    gNu[c] -= expf(nu[c]) * fmaf(sums[0], decay.real, sums[1] * decay.imaginary);
    gTheta[c] += expf(theta[c]) * fmaf(sums[1], decay.real, -sums[0] * decay.imaginary);
    gGamma[c] += sums[2];
    gBias[at.real] += sums[3];
    gBias[at.imaginary] += sums[4];
}
