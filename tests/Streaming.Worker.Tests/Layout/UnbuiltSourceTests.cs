using System.Reflection;
using System.Text.RegularExpressions;
using Streaming.Learning;
using Xunit;

namespace Streaming.Worker.Tests;

/// <summary>
/// The Torch engine and the container files are not built where their packages are missing. What they rest on most is
/// looked for in their text, so that a change on this side of the seam does not pass unseen.
/// </summary>
public partial class UnbuiltSourceTests
{
    [Theory]
    [InlineData(typeof(TrainingEngine), "TorchEngine")]
    [InlineData(typeof(TensorSnapshot), "TorchSnapshot")]
    public void TorchOverrides_AreTheMembersOfTheSeam(Type seam, string name)
    {
        string source = string.Join('\n', Files("src/Streaming.Learning.Torch").Where(file => Path.GetFileName(file).StartsWith(name + ".", StringComparison.Ordinal)).Select(File.ReadAllText));
        string[] overridden = [.. Overrides().Matches(source).Select(match => Signature(match.Groups["name"].Value, Parameters().Matches(match.Groups["parameters"].Value).Select(parameter => parameter.Groups[1].Value)))];
        MethodInfo[] methods = [.. seam.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Where(method => method is { IsVirtual: true, IsFinal: false } && method.DeclaringType != typeof(object))];

        Assert.Empty(methods.Where(method => method.IsAbstract).Select(Signature).Except(overridden));
        Assert.Empty(overridden.Except(methods.Select(Signature)));
    }

    [Fact]
    public void SettingNames_AreSettings()
    {
        var known = WorkerSettings.Catalogue.Sections.SelectMany(section => section.Settings).Select(setting => setting.Variable).ToHashSet(StringComparer.Ordinal);
        string[] files = [.. Files("src/Streaming.Learning.Torch"), .. Files("deploy").Where(file => !file.EndsWith(".md", StringComparison.Ordinal)), Path.Combine(RepositoryLayoutTests.Root(), "docker-compose.yml")];

        Assert.All(files, file => Assert.Empty(SettingName().Matches(File.ReadAllText(file)).Select(match => match.Value).Except(known)));
    }

    private static string[] Files(string folder) => Directory.GetFiles(Path.Combine(RepositoryLayoutTests.Root(), folder), "*", SearchOption.AllDirectories);

    private static string Signature(MethodInfo method) => method.IsSpecialName
        ? Signature(method.Name.Split('_', 2)[1], [])
        : Signature(method.Name, method.GetParameters().Select(parameter => parameter.Name!));

    private static string Signature(string name, IEnumerable<string> parameters) => $"{name}({string.Join(", ", parameters)})";

    [GeneratedRegex(@"\boverride\s+\S+\s+(?<name>\w+)\s*(?:\((?<parameters>[^)]*)\)|=>|\{)")]
    private static partial Regex Overrides();

    // The word before a comma or the end.
    [GeneratedRegex(@"(\w+)\s*(?:,|$)")]
    private static partial Regex Parameters();

    [GeneratedRegex(@"\b[A-Z][A-Za-z]+(?:__[A-Z][A-Za-z0-9]+)+\b")]
    private static partial Regex SettingName();
}
