using System.Reflection;
using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>The check that every test asserts, on samples: methods that it must accept, and methods that only look as if.</summary>
public sealed class AssertionsTests
{
    public static TheoryData<string> Asserting { get; } = Names("Asserts");

    public static TheoryData<string> NotAsserting { get; } = Names("Looks");

    [Theory]
    [MemberData(nameof(Asserting))]
    public void Method_ThatReachesAnAssertion_IsAccepted(string method) => Assert.True(Assertions.IsReachedFrom(Sample(method)));

    [Theory]
    [MemberData(nameof(NotAsserting))]
    public void Method_ThatReachesNone_IsFound(string method) => Assert.False(Assertions.IsReachedFrom(Sample(method)));

    /// <summary>The check runs in every test project, each over its own tests.</summary>
    [Fact]
    public void Projects_OfTests_AllHaveTheCheck()
    {
        string[] projects = Directory.GetFiles(
            Path.Combine(RepositoryLayoutTests.Root(), "tests"),
            "*.csproj",
            SearchOption.AllDirectories
        );
        string[] testing = [.. projects.Where(static file => File.ReadAllText(file).Contains("\"xunit.v3\"", StringComparison.Ordinal))];

        Assert.True(testing.Length >= 10, $"{testing.Length} projects with xunit were found");
        Assert.All(testing, static file => Assert.EndsWith(".Tests.csproj", file, StringComparison.Ordinal));
    }

    private static MethodInfo Sample(string name) =>
        typeof(Samples).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance)!;

    private static TheoryData<string> Names(string prefix) =>
        [
            .. typeof(Samples)
                .GetMethods(BindingFlags.NonPublic | BindingFlags.Static)
                .Select(static method => method.Name)
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal)),
        ];

    private static class Samples
    {
        internal static void AssertsItself() => Assert.Equal(1, 1);

        internal static void AssertsByHelper() => Helper(1);

        internal static void AssertsByGenericHelper() => Generic("a");

        internal static void AssertsInLambda() => Array.ForEach([1], static one => Assert.Equal(1, one));

        internal static void AssertsByMethodGroup() => Array.ForEach([1], Helper);

        internal static async Task AssertsAsync()
        {
            await Task.Yield();
            Assert.Equal(1, 1);
        }

        internal static void AssertsInIterator() => _ = Each().Count();

        internal static void AssertsInConstructor() => _ = new Checked();

        internal static void AssertsInOverride() => Array.ForEach<Base>([new Derived()], static one => one.Check());

        internal static void AssertsThatItThrows() => Assert.Throws<FormatException>(static () => int.Parse("a", null));

        internal static void LooksLikeANameOnly() => NotXunit.Assert.True(true);

        internal static void LooksAtATypeOnly() => _ = typeof(Assert);

        internal static void LooksLikeASkip() => Assert.Skip("for no reason");

        internal static void LooksBusy() => Recursive(3);

        internal static async Task LooksAsync() => await Task.Yield();

        private static void Helper(int value) => Assert.Equal(1, value);

        private static void Generic<T>(T value) => Assert.NotNull(value);

        private static IEnumerable<int> Each()
        {
            yield return 1;
            Assert.Equal(1, 1);
        }

        private static int Recursive(int depth) => depth == 0 ? 0 : Recursive(depth - 1);
    }

    private static class NotXunit
    {
        internal static class Assert
        {
            public static void True(bool condition) => _ = condition;
        }
    }

    private sealed class Checked
    {
        public Checked() => Assert.Equal(1, 1);
    }

    private abstract class Base
    {
        public abstract void Check();
    }

    private sealed class Derived : Base
    {
        public override void Check() => Assert.Equal(1, 1);
    }
}
