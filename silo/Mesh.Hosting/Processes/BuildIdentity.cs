using System.Buffers.Binary;
using System.IO.Hashing;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace Mesh.Hosting.Processes;

/// <summary>Tells two builds of a program apart, from the files in its folder.</summary>
public static class BuildIdentity
{
    /// <summary>
    /// Over the module ids of Mesh's own assemblies (deterministic builds: the same source gives the same id) and the
    /// list of packages.
    /// </summary>
    public static string Of(string folder, string program)
    {
        var hash = new XxHash64();
        Span<byte> id = stackalloc byte[16];
        foreach (var path in Directory.EnumerateFiles(folder, "*.dll").Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (name == program || name.StartsWith("Mesh.", StringComparison.Ordinal))
            {
                using var assembly = new PEReader(File.OpenRead(path));
                var reader = assembly.GetMetadataReader();
                reader.GetGuid(reader.GetModuleDefinition().Mvid).TryWriteBytes(id);
                hash.Append(Encoding.UTF8.GetBytes(name));
                hash.Append(id);
            }
        }

        var packages = Path.Combine(folder, program + ".deps.json");
        if (File.Exists(packages))
        {
            hash.Append(File.ReadAllBytes(packages));
        }

        Span<byte> digest = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(digest, hash.GetCurrentHashAsUInt64());
        return $"{Options.HelpText.Version}-{Convert.ToHexStringLower(digest)}";
    }
}
