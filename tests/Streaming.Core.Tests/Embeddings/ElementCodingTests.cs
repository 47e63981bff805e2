using Streaming.Core.Embeddings;
using Xunit;

namespace Streaming.Core.Tests.Embeddings;

/// <summary>Every length, so that what is left over by the vector code is read too.</summary>
public class ElementCodingTests
{
    [Theory]
    [InlineData(EmbeddingElement.Float32, 4)]
    [InlineData(EmbeddingElement.Float16, 2)]
    [InlineData(EmbeddingElement.Int8, 1)]
    public void Decode_EveryLength_IsElementByElement(EmbeddingElement element, int bytes)
    {
        Random random = new(1);
        for (int length = 1; length <= 131; length++)
        {
            byte[] source = new byte[bytes * length];
            random.NextBytes(source);
            float[] decoded = new float[length];

            ElementCoding.Decode(element, source, 0.5f, decoded);

            for (int i = 0; i < length; i++)
            {
                ReadOnlySpan<byte> one = source.AsSpan(i * bytes, bytes);
                float expected = element switch
                {
                    EmbeddingElement.Float32 => BitConverter.ToSingle(one),
                    EmbeddingElement.Float16 => (float)BitConverter.ToHalf(one),
                    _ => (sbyte)one[0] * 0.5f,
                };
                Assert.True(
                    expected.Equals(decoded[i]) || (float.IsNaN(expected) && float.IsNaN(decoded[i])),
                    $"{length}[{i}]: {decoded[i]}, expected {expected}"
                );
            }
        }
    }

    [Theory]
    [InlineData(0.26f, 3)]
    [InlineData(-0.24f, -2)]
    [InlineData(0.35f, 4)]
    [InlineData(1000f, 127)]
    [InlineData(-1000f, -127)]
    public void Encode_Int8_RoundsToTheNearestAndStaysInBounds(float number, sbyte expected)
    {
        byte[] bytes = new byte[1];

        ElementCoding.Encode(EmbeddingElement.Int8, [number], 0.1f, bytes);

        Assert.Equal(expected, (sbyte)bytes[0]);
    }

    [Fact]
    public void Encode_ScaleZero_GivesZerosOrWholeNumbersNotNaN()
    {
        byte[] bytes = [9, 9];

        ElementCoding.Encode(EmbeddingElement.Int8, [0f, 1e-45f], 0f, bytes);

        Assert.Equal([0, 0], bytes);
    }
}
