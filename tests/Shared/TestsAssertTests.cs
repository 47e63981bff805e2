using System.Reflection;
using Xunit;

namespace Streaming.Tests;

/// <summary>A part of every test project: a test that asserts nothing passes whatever the code does, and one whose name says nothing fails
/// without telling what is broken.</summary>
public sealed class TestsAssertTests
{
    [Fact]
    public void Tests_EachReachesAnAssertion()
    {
        MethodInfo[] tests = [.. Assertions.TestsOf(typeof(TestsAssertTests).Assembly.GetTypes())];
        Assert.Contains(tests, static test => test.Name == nameof(Tests_EachReachesAnAssertion));

        string[] without =
        [
            .. tests
                .Where(static test => !Assertions.IsReachedFrom(test))
                .Select(static test => $"{test.DeclaringType}.{test.Name} never calls {typeof(Assert)}"),
        ];

        Assert.True(without.Length == 0, string.Join('\n', without));
    }

    [Fact]
    public void Tests_AreNamedByTheirSubjectAndWhatItDoes() =>
        Assert.All(
            Assertions.TestsOf(typeof(TestsAssertTests).Assembly.GetTypes()),
            static test => Assert.Matches("^[A-Z][A-Za-z0-9]+(_[A-Z0-9][A-Za-z0-9]+)+$", test.Name)
        );
}
