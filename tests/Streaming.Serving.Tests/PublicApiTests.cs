using PublicApiGenerator;
using Streaming.Serving.Clients;
using Xunit;

namespace Streaming.Serving.Tests;

/// <summary>What other teams compile against changes on purpose only.</summary>
public class PublicApiTests
{
    [Fact]
    public void PublicApi_IsThatOfTheFile()
    {
        string api = typeof(StreamingClient).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false });
        string file = Path.Combine(Root(), "src", "Streaming.Serving", "PublicApi.txt");
        string written = File.Exists(file) ? File.ReadAllText(file) : string.Empty;
        if (written.ReplaceLineEndings("\n").Trim() != api.ReplaceLineEndings("\n").Trim())
        {
            string now = Path.Combine(AppContext.BaseDirectory, "PublicApi.txt");
            File.WriteAllText(now, api.ReplaceLineEndings("\n").Trim() + "\n");
            Assert.Fail($"The public API is not that of src/Streaming.Serving/PublicApi.txt. If the change is meant: cp {now} {file}");
        }
    }

    /// <summary>The repository's folder.</summary>
    internal static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Streaming.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run inside the repository.");
        }

        return folder;
    }
}
