using Streaming.Core.Embeddings;
using Streaming.Serving.Recommendations;
using Xunit;

namespace Streaming.Serving.Tests.Recommendations;

/// <summary>A session continues the published history, whatever of it is published already.</summary>
public sealed class SessionHistoryTests
{
    [Theory]
    [InlineData("a b c", "", "a b c")]
    [InlineData("", "x y", "x y")]
    [InlineData("a b c", "x y", "a b c x y")]
    [InlineData("a b x", "x y", "a b x y")]
    [InlineData("a x y", "x y", "a x y")]
    [InlineData("x y", "x y z", "x y z")]
    [InlineData("y", "x y", "y x y")]
    [InlineData("a x b", "x y", "a x b x y")]
    [InlineData("x x", "x x x", "x x x")]
    [InlineData("a b a b", "a b a b c", "a b a b c")]
    public void Continue_TakesPublishedItemsOnce(string history, string session, string expected) =>
        Assert.Equal(Keys(expected), SessionHistory.Continue(Keys(history), Ids(session)));

    private static string[] Ids(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static ulong[] Keys(string text) => [.. Ids(text).Select(RedisKeys.Hash)];
}
