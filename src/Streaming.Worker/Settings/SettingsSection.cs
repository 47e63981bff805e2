using System.Reflection;

namespace Streaming.Worker.Settings;

/// <summary>A section of the settings: an options class and the prefix of its variables.</summary>
/// <param name="Name">Prefix of the variables: "Kafka" makes Kafka__BootstrapServers. Sections may share one, where their settings' names differ.</param>
/// <param name="Type">Options class: public properties with defaults, and optionally a method Validate() that throws an
/// <see cref="ArgumentException"/> with one line a property, each beginning with the property's name.</param>
/// <param name="Purpose">One line for the page of settings.</param>
public sealed record SettingsSection(string Name, Type Type, string Purpose)
{
    /// <summary>Gets the properties that hold secrets: shown as *** and readable from a file.</summary>
    public IReadOnlySet<string> Secrets { get; init; } = new HashSet<string>();

    /// <summary>Gets the properties that follow from other settings and have no variable of their own.</summary>
    public IReadOnlySet<string> Derived { get; init; } = new HashSet<string>();

    /// <summary>Gets the check of the section's options, given all settings. By default the options' own Validate().</summary>
    public Action<SettingsValues>? Check { get; init; }

    /// <summary>Gets the settings of the section, in the order in which the class declares them.</summary>
    public IReadOnlyList<Setting> Settings => field ??= [.. Discover(Type, [])];

    private IEnumerable<Setting> Discover(Type type, PropertyInfo[] path)
    {
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.SetMethod is null || !property.SetMethod.IsPublic || Derived.Contains(property.Name))
            {
                continue;
            }

            PropertyInfo[] here = [.. path, property];
            if (SettingValue.Supports(property.PropertyType))
            {
                yield return new Setting(this, here, Secrets.Contains(property.Name));
            }
            else if (IsNestedOptions(property.PropertyType))
            {
                foreach (Setting inner in Discover(property.PropertyType, here))
                {
                    yield return inner;
                }
            }
        }
    }

    private static bool IsNestedOptions(Type type) =>
        type.IsClass && type.Namespace?.StartsWith(nameof(Streaming), StringComparison.Ordinal) == true && type.GetConstructor(Type.EmptyTypes) is not null;
}
