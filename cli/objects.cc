#include "cli/objects.h"

#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/world_image.h"

namespace revenant::cli {

int list_roots(const Context& context, const std::string& revision) {
  return with_snapshot(
      context, revision,
      [&](const store::StoreReader&, const store::SnapshotView& view) -> base::Result<int> {
        const SnapshotImage image(view);
        REVENANT_ASSIGN(const auto roots, WorldImage(image).roots());
        Table table({{"NAME"}, {"ADDRESS"}, {"SIZE", Align::kRight}, {"TYPE"}});
        for (const RootImage& root : roots) {
          const std::string address = hex_address(root.address);
          if (context.json) {
            print_json({{"name", root.name},
                        {"address", address},
                        {"bytes", root.bytes},
                        {"type", root.type}});
          } else {
            table.add(
                {printable(root.name), address, human_bytes(root.bytes), printable(root.type)});
          }
        }
        if (!context.json) table.print(context.color);
        return base::kWell;
      });
}

}  // namespace revenant::cli
