using Xunit;

namespace Streaming.Serving.Tests;

public class UserShareTests
{
    private const int Users = 20_000;

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.3)]
    [InlineData(0.9)]
    public void Share_IsThatOfTheUsers(double share)
    {
        int drawn = Enumerable.Range(0, Users).Count(i => UserShare.Contains($"user-{i}", share, 2));

        // Five standard deviations.
        Assert.InRange(
            drawn,
            Users * share - 5 * Math.Sqrt(Users * share * (1 - share)),
            Users * share + 5 * Math.Sqrt(Users * share * (1 - share))
        );
    }

    [Fact]
    public void GreaterShare_KeepsTheUsersOfTheSmaller() =>
        Assert.All(
            Enumerable.Range(0, 1_000).Select(static i => $"user-{i}").Where(static user => UserShare.Contains(user, 0.2, 2)),
            static user => Assert.True(UserShare.Contains(user, 0.4, 2), user)
        );

    [Fact]
    public void AnotherDraw_IsIndependent()
    {
        int both = Enumerable.Range(0, Users).Count(static i => UserShare.Contains($"{i}", 0.5, 2) && UserShare.Contains($"{i}", 0.5, 3));

        Assert.InRange(both, Users / 4 - 400, Users / 4 + 400);
    }

    [Fact]
    public void Has_NoneOrAll_IsNobodyOrEverybody()
    {
        Assert.DoesNotContain(Enumerable.Range(0, 1_000), static i => UserShare.Contains($"{i}", 0, 2));
        Assert.DoesNotContain(Enumerable.Range(0, 1_000), static i => !UserShare.Contains($"{i}", 1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(static () => UserShare.Contains("anna", 1.1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(static () => UserShare.Contains("anna", double.NaN, 2));
    }

    /// <summary>Which users are drawn is a contract: other processes and later versions draw the same ones.</summary>
    [Fact]
    public void Draw_StaysTheSame() =>
        Assert.Equal(
            [1, 2, 3, 5, 7, 8, 9, 10, 13, 14, 17, 19],
            Enumerable.Range(0, 20).Where(static i => UserShare.Contains($"user-{i}", 0.5, 2))
        );
}
