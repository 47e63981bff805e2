using Streaming.Learning.Items;
using Xunit;

namespace Streaming.Learning.Tests.Items;

public class KeyIndexTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AddRemove_RandomOperations_AgreesWithDictionary(int seed)
    {
        var random = new Random(seed);
        var index = new KeyIndex(100);
        var expected = new Dictionary<ulong, int>();
        for (int i = 0; i < 20_000; i++)
        {
            // Few keys, so that the same key is often removed and added again and probe runs are long. 0 is an ordinary key.
            ulong key = (ulong)random.Next(150);
            if (expected.Remove(key))
            {
                Assert.True(index.Remove(key));
            }
            else if (expected.Count < 100)
            {
                expected.Add(key, i);
                index.Add(key, i);
            }
            else
            {
                Assert.False(index.Remove(key));
            }

            Assert.Equal(expected.Count, index.Count);
            ulong probe = (ulong)random.Next(150);
            Assert.Equal(expected.GetValueOrDefault(probe, -1), index.Find(probe));
        }
    }

    [Fact]
    public void Add_Full_Throws()
    {
        var index = new KeyIndex(1);
        index.Add(7, 0);
        Assert.Throws<InvalidOperationException>(() => index.Add(8, 1));
    }

    [Fact]
    public void Add_KeyTwice_Throws()
    {
        var index = new KeyIndex(2);
        index.Add(7, 0);
        Assert.Throws<ArgumentException>(() => index.Add(7, 1));
    }
}
