using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

public sealed class ItemSearchTests
{
    private static readonly (string Id, string? Title)[] Items =
    [
        ("i-1", "Trail running shoe"),
        ("i-2", "Shoe"),
        ("i-3", null),
        ("i-4", "Shoe rack"),
        ("shoe-5", "Lamp"),
        ("i-6", "Running cap"),
    ];

    [Theory]
    [InlineData("shoe", "i-2 i-4 shoe-5 i-1")]
    [InlineData("  SHOE ", "i-2 i-4 shoe-5 i-1")]
    [InlineData("shoe running", "i-1")]
    [InlineData("lamp shoe", "shoe-5")]
    [InlineData("i-3", "i-3")]
    [InlineData("boot", "")]
    public void Search_FindsAllWordsInTitleOrId_TheNearestFirst(string text, string expected) => Assert.Equal(expected, Find(text, 10));

    [Fact]
    public void Search_OfMoreThanTheCount_KeepsTheBest()
    {
        Assert.Equal("i-2 i-4", Find("shoe", 2));
        Assert.Equal("i-2", Find("shoe", 1));
    }

    private static string Find(string text, int count)
    {
        var search = new ItemSearch(text, count);
        foreach ((string id, string? title) in Items)
        {
            search.Offer(id, title);
        }

        return string.Join(' ', search.Found.Select(item => item.Item));
    }
}
