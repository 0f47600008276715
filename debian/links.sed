# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
#
# Where the pages' links lead in the packages.
s|](\(\(\.\./\)\?\)conf/examples/|](\1examples/|g
s|](\(\(\.\./\)\?\)conf/demo)|](\1examples/demo)|g
s|](CHANGES)|](changelog.gz)|g
s|](LICENSE)|](copyright)|g
s|](\(\.\./\)\?mod_signed_session\.h)|](/usr/include/apache2/mod_signed_session.h)|g
s|](\(docs/\)\?examples/mod_visits\.c)|](/usr/share/doc/libapache2-mod-signed-session-dev/examples/mod_visits.c)|g
# what only the source has is named
s!\[\([^]]*\)\](\.\./\(tests\|bench\)/[^)]*)!\1!g
