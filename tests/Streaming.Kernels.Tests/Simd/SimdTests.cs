using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Streaming.Kernels.Simd;
using Xunit;

namespace Streaming.Kernels.Tests.Simd;

public class SimdTests
{
    [Fact]
    public void Exp2_ManyArguments_IsCloseAndSaturates()
    {
        Check<SimdScalar>(true);
        Check<Simd128>(Simd128.IsSupported);
        Check<Simd256>(Simd256.IsSupported);
        Check<Simd512>(Simd512.IsSupported);
    }

    [Fact]
    public void Operations_EveryVector_AreThoseOfScalars()
    {
        CheckOperations<SimdScalar>(true);
        CheckOperations<Simd128>(Simd128.IsSupported);
        CheckOperations<Simd256>(Simd256.IsSupported);
        CheckOperations<Simd512>(Simd512.IsSupported);
    }

    [Fact]
    public void IsSupported_SettingOfTheRun_IsObeyed()
    {
        TestContext.Current.SendDiagnosticMessage(
            $"vector widths in use: 512 {Simd512.IsSupported}, 256 {Simd256.IsSupported}, 128 {Simd128.IsSupported}"
        );
        bool off = Environment.GetEnvironmentVariable("DOTNET_EnableHWIntrinsic") == "0";
        Assert.True(!off || !(Simd512.IsSupported || Simd256.IsSupported || Simd128.IsSupported));
        Assert.True(Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") != "0" || !(Simd512.IsSupported || Simd256.IsSupported));
        Assert.True(Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") != "0" || !Simd512.IsSupported);
        Assert.Equal(Avx512F.IsSupported && Avx512DQ.IsSupported, Simd512.IsSupported);
    }

    private static void Check<T>(bool supported)
        where T : struct, ISimd<T>
    {
        float[] result = new float[16];
        for (double y = -130; supported && y < 127; y += 0.00317)
        {
            float argument = (float)y;
            T.Exp2(T.Create(argument)).Store(ref result[0]);
            double expected = argument < Exp2Constants.Least ? 0 : Math.Pow(2, argument);
            Assert.True(
                Math.Abs(result[T.Count - 1] - expected) <= 2e-7 * expected,
                $"{typeof(T).Name}: 2^{argument} = {result[0]}, expected {expected}"
            );
        }

        foreach (
            (float argument, float least, float most) in new[]
            {
                (float.NegativeInfinity, 0f, 0f),
                (-1e30f, 0f, 0f),
                (1e30f, 1e38f, float.PositiveInfinity),
                (0f, 0.9999999f, 1f),
                (1f, 1.9999998f, 2.0000001f),
            }
        )
        {
            if (supported)
            {
                T.Exp2(T.Create(argument)).Store(ref result[0]);
                Assert.InRange(result[0], least, most);
            }
        }
    }

    private static void CheckOperations<T>(bool supported)
        where T : struct, ISimd<T>
    {
        if (!supported)
        {
            return;
        }

        float[] a = RandomFloats.Normal(17, 1),
            b = RandomFloats.Normal(17, 2),
            c = new float[18];
        T x = T.Load(ref a[1]),
            y = T.Load(ref b[0], 1);
        float sum = 0;
        for (int i = 0; i < T.Count; i++)
        {
            float p = a[i + 1],
                q = b[i + 1];
            Assert.Equal(p + q, Lane(x + y, i));
            Assert.Equal(p - q, Lane(x - y, i));
            Assert.Equal(p * q, Lane(x * y, i));
            Assert.Equal(p / q, Lane(x / y, i));
            Assert.Equal(Math.Max(p, q), Lane(T.Max(x, y), i));
            Assert.Equal(MathF.Sqrt(p * p), Lane(T.Sqrt(x * x), i));
            Assert.Equal((double)p * q + 3, Lane(T.MultiplyAdd(x, y, T.Create(3f)), i), 1e-6);
            Assert.Equal(3 - (double)p * q, Lane(T.NegateMultiplyAdd(x, y, T.Create(3f)), i), 1e-6);
            Assert.Equal(p > q ? 1f : 0f, Lane(T.OneIfGreater(x, y), i));
            Assert.Equal(0f, Lane(T.OneIfEqual(x, y), i));
            Assert.Equal(1f, Lane(T.OneIfEqual(x, x), i));
            sum += p;
        }

        Assert.Equal(sum, T.Sum(x), 1e-4);
        Vector128<float> sums = T.Sums(x, y, x + y, x - y);
        Assert.Equal(T.Sum(x), sums[0], 1e-4);
        Assert.Equal(T.Sum(y), sums[1], 1e-4);
        Assert.Equal(T.Sum(x + y), sums[2], 1e-4);
        Assert.Equal(T.Sum(x - y), sums[3], 1e-4);
        Assert.Equal(Vector128.Create(sums[0]), T.Sums(x, x, x, x));
        (x + y).Store(ref c[0], 2);
        Assert.Equal(0f, c[1]);
        Assert.Equal(a[1] + b[1], c[2]);
    }

    private static float Lane<T>(T value, int lane)
        where T : struct, ISimd<T>
    {
        float[] values = new float[16];
        value.Store(ref values[0]);
        return values[lane];
    }
}
