using System.Text.Json;
using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

public sealed class VectorConverterTests
{
    [Fact]
    public void Write_EveryFloat16_HasTheDigitsOfTheSerializer()
    {
        float[] all =
        [
            .. Enumerable
                .Range(0, ushort.MaxValue + 1)
                .Select(static code => (float)BitConverter.UInt16BitsToHalf((ushort)code))
                .Where(float.IsFinite),
        ];

        Assert.Equal(JsonSerializer.Serialize(all), Written(all));
        Assert.Equal(63_488, all.Length);
    }

    [Fact]
    public void Write_OtherNumbers_HaveTheDigitsOfTheSerializer()
    {
        var random = new Random(5);
        float[] some =
        [
            0,
            -0f,
            float.Epsilon,
            float.MaxValue,
            -float.MaxValue,
            65_536,
            1f / 3,
            .. Enumerable
                .Range(0, 100_000)
                .Select(_ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)))
                .Where(float.IsFinite),
        ];

        Assert.Equal(JsonSerializer.Serialize(some), Written(some));
    }

    [Fact]
    public void Write_NoNumbers_IsAnEmptyList() => Assert.Equal("[]", Written([]));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Write_WhatJsonDoesNotHave_IsRefused(float value) => Assert.Throws<ArgumentException>(() => Written([1, value]));

    /// <summary>The vector of an item as an answer has it.</summary>
    private static string Written(float[] vector)
    {
        string answer = JsonSerializer.Serialize(new ItemVector("i", null, 1, vector));
        Assert.Equal(vector, JsonSerializer.Deserialize<ItemVector>(answer)!.Vector);
        return answer[(answer.IndexOf("\"Vector\":", StringComparison.Ordinal) + 9)..^1];
    }
}
