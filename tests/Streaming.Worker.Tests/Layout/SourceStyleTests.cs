using Xunit;

namespace Streaming.Worker.Tests.Layout;

/// <summary>Rules of style that neither the compiler nor the formatter checks.</summary>
public class SourceStyleTests
{
    private const int MaxLineLength = 140;

    [Fact]
    public void Lines_HaveAtMost140Characters()
    {
        string sources = Path.Combine(RepositoryLayoutTests.Root(), "src");
        string[] files =
        [
            .. Directory
                .GetFiles(sources, "*.cs", SearchOption.AllDirectories)
                .Where(path => !path.Contains("/obj/", StringComparison.Ordinal)),
        ];
        Assert.True(files.Length > 400, "the sources were not found");

        // The formatter breaks code, but neither literals nor comments.
        Assert.Empty(
            files.SelectMany(path =>
                File.ReadLines(path)
                    .Select((line, index) => (line, index))
                    .Where(at => at.line.Length > MaxLineLength)
                    .Select(at => $"{Path.GetRelativePath(sources, path)}:{at.index + 1} has {at.line.Length} characters")
            )
        );
    }
}
