using Streaming.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(Streaming.Encoders.Tests.Models))]

namespace Streaming.Encoders.Tests;

/// <summary>The files of the packaged models, written once.</summary>
public sealed class Models : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("streaming-models-");

    public Models() => (Text, Vocabulary) = PackagedModels.WriteMiniLM(_folder.FullName);

    public string Text { get; }

    public string Vocabulary { get; }

    public string Picture { get; } = PackagedModels.ResNet18;

    public void Dispose() => _folder.Delete(recursive: true);
}
